#!/bin/bash
# run.sh BINARY SECONDS [TARGET...]: fuzzes each target for so long, and prints how many inputs were tried.
binary=$1; seconds=$2; shift 2
root=$(cd "$(dirname "$0")" && pwd)
work=${FUZZ_WORK:-$(mktemp -d)}
targets=${*:-$(ls "$root/Corpus")}
export SWIFT_BACKTRACE=enable=no
failed=0
for target in $targets; do
  mkdir -p "$work/$target" "$work/found"
  VISE_FUZZ_TARGET=$target "$binary" -max_total_time="$seconds" -timeout="${FUZZ_TIMEOUT:-5}" \
    -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$work/found/$target-" -print_final_stats=1 -verbosity=1 \
    "$work/$target" "$root/Corpus/$target" >"$work/$target.log" 2>&1
  status=$?
  runs=$(grep -a 'number_of_executed_units' "$work/$target.log" | tail -1 | grep -o '[0-9]*')
  echo "$target: ${runs:-0} inputs, $([ $status = 0 ] && echo 'no failure' || echo "FAILED, see $work/$target.log and $work/found")"
  [ $status = 0 ] || failed=1
  rm -rf /dev/shm/vise-fuzz-*-*
done
exit $failed
