#!/usr/bin/env bash
# Everything that is asked of a GPU, in one call of under nine minutes:
#
#   1 tests      the tests marked gpu
#   2 capture    a recorded training ends in the weights of an eager one
#   3 step-64, step-256, step-1024
#                the table of step.py at three batch sizes: equal precision (TF32), and best setting (bf16)
#   4 account    where the time of a DCGAN-64 cycle goes: kernels, and gaps between them
#   5 forwards   real and fake samples through the critic together or apart
#   6 feed       batches from data on the device, beside the step
#   7 compile    torch.compile beside graphs
#
# Usage: benchmarks/gpu.sh [--device cuda|cpu] [--quick]
#   --device cpu --quick   a dry run: every section with tiny sizes; those that need CUDA say so
#
# Downloads and installs nothing: the `python` on PATH needs torch, numpy and safetensors; the tests need pytest and
# what the package depends on. More folders of packages can be named in PYTHONPATH. Results: ${OUT:-benchmark-results}.
# A section that fails or runs out of its time does not stop the others; the exit status is the number of such.
set -uo pipefail
cd "$(dirname "$0")/.."

device=cuda quick=
while (($#)); do
  case $1 in
    --device) device=${2:?--device needs cuda or cpu}; shift 2 ;;
    --quick) quick=--quick; shift ;;
    *) echo "unknown argument $1; see the head of $0" >&2; exit 64 ;;
  esac
done

out=${OUT:-benchmark-results}
limit=${LIMIT:-530}  # seconds for everything
python=${PYTHON:-$(command -v python || command -v python3)}
export PYTHONPATH=.:plugins${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
mkdir -p "$out"
summary=$out/summary.md
log=$out/log.txt
: >"$log"
failed=0
SECONDS=0

# section NAME SECONDS COMMAND...: its output goes into the summary, errors and progress into the log
section() {
  local name=$1 allowed=$2 started=$SECONDS left=$((limit - SECONDS)) status
  shift 2
  ((left < allowed)) && allowed=$left
  printf '\n## %s\n\n' "$name" >>"$summary"
  if ((allowed < 5)); then
    echo "Not run: no time left of $limit s." >>"$summary"
    status=124
  else
    echo "== $name (at $SECONDS s, $allowed s allowed): $*" | tee -a "$log" >&2
    timeout --kill-after=10 "$allowed" "$@" >"$out/section.txt" 2>>"$log"
    status=$?
    # A table that did not come to its end was kept network by network.
    [[ $status != 0 && -s $out/$name.md ]] && cat "$out/$name.md" >>"$summary"
    cat "$out/section.txt" >>"$summary"
    rm -f "$out/section.txt" "$out/$name.md"
  fi
  local state=done
  ((status == 0)) || { failed=$((failed + 1)); state="failed ($status)"; }
  ((status == 124)) && state='out of time'
  states+=("| $name | $state | $((SECONDS - started)) s |")
}

states=()
{
  echo "# wganx on a GPU"
  echo
  "$python" -c 'import platform, torch; print(f"Python {platform.python_version()}, torch {torch.__version__}")'
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader || true
    echo "Processes on it before: $(nvidia-smi --query-compute-apps=pid --format=csv,noheader | wc -l)"
  else
    echo "nvidia-smi: not found."
  fi
} >"$summary" 2>>"$log"

mapfile -t gpu_tests < <(grep -rlE --include='test_*.py' 'mark\.gpu' tests)
section tests 90 "$python" -m pytest -m gpu -q -p no:cacheprovider --continue-on-collection-errors "${gpu_tests[@]}"
section capture 60 "$python" benchmarks/gpu_checks.py capture --device "$device" $quick

# step BATCH SECONDS ARGUMENTS...: one table
step() {
  local batch=$1 allowed=$2
  shift 2
  section "step-$batch" "$allowed" "$python" benchmarks/step.py --device "$device" --batch "$batch" \
    --json "$out/step-$batch.json" --markdown "$out/step-$batch.md" "$@"
}
if [[ $quick ]]; then
  for batch in 2 3 4; do
    step $batch 120 --networks mlp dcgan-32 --rounds 2 --seconds 0.01 --warm-up 1
  done
else
  step 64 170 --networks dcgan-64 dcgan-32 mlp dcgan-32-layernorm resnet-32 wavegan-4096 specgan-64 video-predict-32 --seconds 0.08
  step 256 100 --networks dcgan-64 dcgan-32 mlp dcgan-32-layernorm --seconds 0.08
  step 1024 130 --networks dcgan-64 dcgan-32 mlp --seconds 0.08 --warm-up 10
fi

section account 60 "$python" benchmarks/gpu_checks.py account --device "$device" $quick
section forwards 60 "$python" benchmarks/gpu_checks.py forwards --device "$device" $quick
section feed 45 "$python" benchmarks/gpu_checks.py feed --device "$device" $quick
if [[ $quick ]]; then
  section compile 120 "$python" benchmarks/step.py --device "$device" --networks mlp --batch 4 --rounds 2 \
    --seconds 0.01 --warm-up 1 --variants wganx wganx-compile
else
  section compile 120 "$python" benchmarks/step.py --device "$device" --networks dcgan-64 dcgan-32 --batch 64 \
    --seconds 0.08 --variants wganx-graph wganx-compile wganx-graph-bf16 wganx-compile-bf16 \
    --markdown "$out/compile.md"
fi

{
  printf '\n## Sections\n\n| section | end | time |\n|---|---|---|\n'
  printf '%s\n' "${states[@]}"
  echo
  echo "$SECONDS s in all; $failed of ${#states[@]} sections not done."
} >>"$summary"
cat "$summary"
exit "$failed"
