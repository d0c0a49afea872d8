#!/bin/bash
# run.sh BINARY SECONDS [TARGET...]: fuzzes each target for so long, and prints how many inputs were tried.
# FUZZ_WORK keeps what is found between runs; FUZZ_TIMEOUT is how many seconds one input may take.
binary=$1; seconds=$2; shift 2
root=$(cd "$(dirname "$0")" && pwd)
work=${FUZZ_WORK:-$(mktemp -d)}
python3 "$root/seeds.py" "$work/seeds" || exit 1
targets=${*:-$(ls "$work/seeds")}
# On a terminal, the backtrace of a crash would wait for a key.
export SWIFT_BACKTRACE=enable=no
failed=0
mkdir -p "$work/found"
for target in $targets; do
  mkdir -p "$work/grown/$target"
  VISE_FUZZ_TARGET=$target "$binary" -max_total_time="$seconds" -timeout="${FUZZ_TIMEOUT:-5}" \
    -rss_limit_mb=1024 -malloc_limit_mb=64 -max_len=16384 -artifact_prefix="$work/found/$target-" -print_final_stats=1 \
    "$work/grown/$target" $(ls -d "$root/Corpus/$target" 2>/dev/null) "$work/seeds/$target" >"$work/$target.log" 2>&1 &
  process=$!
  wait $process
  status=$?
  runs=$(grep -a number_of_executed_units "$work/$target.log" | tail -1 | grep -o '[0-9]*$')
  if [ $status = 0 ]; then
    echo "$target: ${runs:-0} inputs"
  else
    echo "$target: failed after ${runs:-0} inputs; see $work/$target.log and $work/found"
    failed=1
  fi
  # Others may run beside this one.
  rm -rf /dev/shm/vise-fuzz-$process-*
done
exit $failed
