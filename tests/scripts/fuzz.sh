#!/usr/bin/env bash
# Fuzzes penstock-dialect: tests/scripts/fuzz.sh SECONDS [TARGET...]
#
# Runs each target (all without names) for so many seconds, beginning with the corpus that is kept in
# data-plane/dialect/fuzz/corpus. A finding ends the run with exit code 1 and is written below target/fuzz/findings: put
# it into the corpus, where a test replays it, and repair what it found. With KEEP=yes the inputs that led to new code are
# merged into the kept corpus, small ones alone.
#
# Needs a nightly compiler (rustup toolchain install nightly) and a C++ compiler; cargo-fuzz is not needed, but finds the
# targets too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:?how many seconds for each target}
shift
fuzz=data-plane/dialect/fuzz
work=$PWD/target/fuzz
[ $# -gt 0 ] || set -- sse inspection usage event_stream translated_request translated_answer

# Coverage as libFuzzer wants it. There is no unsafe code of ours, so that no sanitizer is needed.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
# A target is named, so that build scripts are built without the flags.
RUSTFLAGS="$flags" cargo +nightly build --release --manifest-path "$fuzz/Cargo.toml" --target "$host" \
    --target-dir "$work/build" --bins

mkdir -p "$work/findings"
failed=()
for target in "$@"; do
    program=$work/build/$host/release/$target
    mkdir -p "$work/corpus/$target"
    log=$work/$target.log
    if ! "$program" "$work/corpus/$target" "$fuzz/corpus/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=2048 -dict="$fuzz/words.dict" -artifact_prefix="$work/findings/$target-" -print_final_stats=1 \
        >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        failed+=("$target")
        continue
    fi
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s," \
        "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) places reached"
    if [ "${KEEP:-}" = yes ]; then
        "$program" -merge=1 -use_counters=0 -max_len=512 "$fuzz/corpus/$target" "$work/corpus/$target" >"$log" 2>&1
    fi
done

if [ ${#failed[@]} -gt 0 ]; then
    echo "Findings in ${failed[*]}: see target/fuzz/findings." >&2
    exit 1
fi
echo "Nothing was found."
