//! What Penstock promises, shown through the real binaries. One file a promise, one binary for all.

mod a08_a_disabled_key_is_refused_everywhere;
mod behind_a_reverse_proxy;
mod d03_a_rate_limit_is_exact_over_all_data_planes;
mod d04_a_strict_budget_is_never_overspent;
mod d05_limits_survive_redis;
mod d07_a_killed_data_plane_leaks_nothing;
mod d08_limits_can_be_switched_off;
mod e01_the_ledger_equals_what_the_provider_reported;
mod e05_exactly_once_whatever_is_killed;
mod f01_secrets_stay_secret;
mod fault_matrix;
mod g01_a_rollback_is_a_new_revision;
mod g02_a_bad_resource_is_refused_alone;
mod g03_traffic_goes_on_without_the_control_plane;
mod g15_startup_faults_are_explained;
mod g16_a_restart_loses_no_request;
mod limited;
mod one_script_call_for_each_hash_tag;
mod sdks_talk_through_a_data_plane;
mod tls_between_the_planes;
mod up_runs_all_on_one_machine;
