//! What Penstock promises, shown through the real binaries. One file a promise, one binary for all.

mod a08_a_disabled_key_is_refused_everywhere;
mod e01_the_ledger_equals_what_the_provider_reported;
mod e05_exactly_once_whatever_is_killed;
mod f01_secrets_stay_secret;
mod g01_a_rollback_is_a_new_revision;
mod g02_a_bad_resource_is_refused_alone;
mod g03_traffic_goes_on_without_the_control_plane;
mod g15_startup_faults_are_explained;
mod g16_a_restart_loses_no_request;
mod sdks_talk_through_a_data_plane;
mod tls_between_the_planes;
mod up_runs_all_on_one_machine;
