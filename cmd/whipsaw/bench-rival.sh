#!/bin/bash
# Measures whipsaw and MediaMTX with the same work, one after the other and in turns, and prints the ratios.
#
#   cmd/whipsaw/bench-rival.sh MEDIAMTX_BINARY [DIRECTORY]
#
# The directory (default: bench-results) gets one JSON file for each run, report.json, report.md and report.svg; runs that
# are in it already count too. Everything stays on 127.0.0.1. With two cores or more, server and bench get one each.
#
#   ROUNDS=3                  how often each case is run
#   STREAMS="1 10 25"         cases without viewers: how many streams
#   VIEWERS="1 100 300 600 1000"   cases with one stream: how many viewers
#   WAITERS=1000              a case with viewers who only wait for the playlist of a stream's picture: how many; empty: none
#   WITHIN=200ms              the most viewers are looked for that get 99 of 100 parts within it; empty: they are not
#   TIME=15s WARM=25s         how long streams are measured, and run before that: longer than the playlists
#   WATCH_TIME=15s WATCH_WARM=5s   the same with viewers
#   BENCH_FLAGS=              further flags of whipsaw bench run, such as "--http 2"
#   CLIP=FILE.mp4             what is published; without it ffmpeg makes 720p30 of 2.5 Mbit/s with Opus
#   WHIPSAW=BINARY            without it, it is built
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,/^set/p' "$0" | grep '^#' | cut -c3-; exit 2; }
rival=$(realpath "$1")
out=${2:-bench-results}
mkdir -p "$out"
out=$(realpath "$out")
whipsaw=${WHIPSAW:-}
if [ -z "$whipsaw" ]; then
	whipsaw=$out/whipsaw
	(cd "$(dirname "$0")/../.." && CGO_ENABLED=0 go build -o "$whipsaw" ./cmd/whipsaw)
fi
clip=${CLIP:-$out/clip.mp4}
if [ ! -e "$clip" ]; then
	ffmpeg -v error -f lavfi -i 'testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t' \
		-f lavfi -i 'anoisesrc=color=pink:amplitude=0.3:sample_rate=48000' -t 10 \
		-c:v libx264 -preset veryfast -bf 0 -g 60 -keyint_min 60 -sc_threshold 0 -pix_fmt yuv420p \
		-b:v 2500k -maxrate 2500k -bufsize 2500k -c:a libopus -b:a 64k -ac 2 "$clip"
fi

# Core 0 is the server's, core 1 the bench's.
first=(env) second=(env)
if command -v taskset >/dev/null && [ "$(nproc)" -ge 2 ]; then
	first=(taskset -c 0) second=(taskset -c 1)
fi

# The same work: playlists of seven segments of 2 s, parts of 200 ms, nothing else running.
cat >"$out/mediamtx.yml" <<YML
logLevel: warn
rtsp: no
rtmp: no
srt: no
moq: no
hlsAddress: 127.0.0.1:18888
hlsAlwaysRemux: yes
hlsVariant: lowLatency
hlsSegmentCount: 7
hlsSegmentDuration: 2s
hlsPartDuration: 200ms
webrtcAddress: 127.0.0.1:18889
webrtcLocalUDPAddress: 127.0.0.1:18890
webrtcIPsFromInterfaces: no
webrtcAdditionalHosts: [127.0.0.1]
paths:
  all_others:
YML

server=
trap '[ -z "$server" ] || kill "$server"' EXIT

# run LABEL NAME FLAGS...: one measurement of one server, freshly started.
run() {
	local label=$1 name=$2 n=1 whip hls status=0
	shift 2
	while [ -e "$out/$name-$n-$label.json" ]; do n=$((n + 1)); done
	if [ "$label" = whipsaw ]; then
		"${first[@]}" "$whipsaw" --listen 127.0.0.1:18880 --webrtc-udp 127.0.0.1:18881 --admin= --log-level warn \
			--part 200ms --segment 2s --window 14s >"$out/$label.log" 2>&1 &
		whip='http://127.0.0.1:18880/whip/bench{n}' hls='http://127.0.0.1:18880/hls/bench{n}/index.m3u8'
	else
		"${first[@]}" "$rival" "$out/mediamtx.yml" >"$out/$label.log" 2>&1 &
		whip='http://127.0.0.1:18889/bench{n}/whip' hls='http://127.0.0.1:18888/bench{n}/index.m3u8'
	fi
	server=$!
	sleep 2
	kill -0 "$server" 2>/dev/null || { cat "$out/$label.log"; return 1; } # or another server would be measured
	echo "== $name, run $n: $label"
	# shellcheck disable=SC2086
	"${second[@]}" "$whipsaw" bench run "$whip" "$hls" --pid "$server" --clip "$clip" --label "$label" \
		--json "$out/$name-$n-$label.json" "$@" ${BENCH_FLAGS:-} || status=$?
	kill "$server"
	wait "$server" || true
	server=
	return $status
}

# both NAME FLAGS...: both servers, in turns the one or the other first.
turn=0
both() {
	turn=$((turn + 1))
	if [ $((turn % 2)) -eq 1 ]; then
		run whipsaw "$@"
		run MediaMTX "$@"
	else
		run MediaMTX "$@"
		run whipsaw "$@"
	fi
}

for _ in $(seq "${ROUNDS:-3}"); do
	for n in ${STREAMS-1 10 25}; do
		both "streams-$n" --streams "$n" --viewers 0 --time "${TIME:-15s}" --warm "${WARM:-25s}"
	done
	for n in ${VIEWERS-1 100 300 600 1000}; do
		both "viewers-$n" --streams 1 --viewers "$n" --time "${WATCH_TIME:-15s}" --warm "${WATCH_WARM:-5s}"
	done
	if [ -n "${WAITERS-1000}" ]; then
		both "waiters-${WAITERS-1000}" --streams 1 --viewers "${WAITERS-1000}" --video-only --waiters --time 10s --warm 3s
	fi
	if [ -n "${WITHIN-200ms}" ]; then
		both "within-${WITHIN-200ms}" --streams 1 --viewers 200 --time 6s --warm 3s --within "${WITHIN-200ms}"
	fi
done

echo
"$whipsaw" bench report "$out"/*-whipsaw.json "$out"/*-MediaMTX.json --json "$out/report.json" --svg "$out/report.svg" | tee "$out/report.md"
