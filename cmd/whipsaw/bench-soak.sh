#!/bin/bash
# Runs whipsaw for long under a low load, with publishers and viewers that come and go, and tells whether anything grows.
#
#   cmd/whipsaw/bench-soak.sh [DIRECTORY]           runs and judges; the directory (default: soak-results) gets all files
#   cmd/whipsaw/bench-soak.sh --judge FILE.csv [S]  judges a run that was, of which the first S seconds (0) do not count
#
# Streams and viewers stay all the time. Beside them guests come: a publisher for 20 s, which then deletes its session, is
# killed, comes back to the same stream, or has its stream ended by the API, under an old name or a new one; and viewers who
# leave after seconds, some of them killed. At the end all leave, and what they had must be given back. The CSV has a line
# every 10 s; what the last collection of garbage left of the heap is worked out from when the next one is due.
#
#   TIME=1h WARM=10m   how long, and how much of it does not count; a TIME of 2m with a WARM of 30s shows that all works
#   STREAMS=2 VIEWERS=20   of those that stay
#   CLIP=FILE.mp4      what is published; without it the built-in clip
#   WHIPSAW=BINARY     without it, it is built
#   PORT=18980         of the server; its media and its operator's address have the two after it. All stay on 127.0.0.1
#
# It grows if, over the second half of what counts, the line of least squares through ten means rises by over 1 % of the
# mean and by over three times its standard error, or if the least number of goroutines or open files in the last quarter
# is over that of the first by 5 and by 5 %. Then, and with any stall or error of those that stay, the exit code is 1.
set -euo pipefail

usage() {
	sed -n '2,/^set/p' "$0" | grep '^#' | cut -c3-
	exit 2
}

# seconds TEXT: 90s, 40m and 1h as a number.
seconds() {
	[[ $1 =~ ^([0-9]+)([hms]?)$ ]] || { echo "$1 is no time such as 90s, 40m or 1h" >&2; return 1; }
	local unit=1
	case ${BASH_REMATCH[2]} in
	h) unit=3600 ;;
	m) unit=60 ;;
	esac
	echo $((10#${BASH_REMATCH[1]} * unit))
}

# judge FILE.csv WARM: prints what became of each column; 1 if one grows.
judge() {
	awk -F, -v warm="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; columns = NF; next }
		$1 + 0 >= warm { n++; for (i = 1; i <= NF; i++) v[n, i] = $i }
		function line(c, from,    i, k, b, x, y, xx, xy, x0, y0, r) { # sets slope, error, mean and span
			b = n - from + 1 < 20 ? n - from + 1 : 10
			for (i = 0; i < b; i++) X[i] = Y[i] = N[i] = 0
			for (i = from; i <= n; i++) { k = int((i - from) * b / (n - from + 1)); X[k] += v[i, 1]; Y[k] += v[i, c]; N[k]++ }
			x0 = y0 = xx = xy = r = 0
			for (i = 0; i < b; i++) { X[i] /= N[i]; Y[i] /= N[i]; x0 += X[i] / b; y0 += Y[i] / b }
			for (i = 0; i < b; i++) { xx += (X[i] - x0) ^ 2; xy += (X[i] - x0) * (Y[i] - y0) }
			slope = xy / xx; mean = y0; span = v[n, 1] - v[from, 1]
			for (i = 0; i < b; i++) r += (Y[i] - y0 - slope * (X[i] - x0)) ^ 2
			error = sqrt(r / (b - 2) / xx)
		}
		function least(c, from, to,    i, m) {
			m = v[from, c]
			for (i = from; i <= to; i++) if (v[i, c] + 0 < m) m = v[i, c] + 0
			return m
		}
		function most(c, from, to,    i, m) {
			m = v[from, c]
			for (i = from; i <= to; i++) if (v[i, c] + 0 > m) m = v[i, c] + 0
			return m
		}
		function verdict(bad) { if (bad) failed = 1; return bad ? "GROWS" : "flat" }
		END {
			if (n < 8) { print "too few samples to judge by: " n + 0; exit 2 }
			printf "%d samples of %d s\n", n, v[n, 1] - v[1, 1]
			for (c = 2; c <= columns; c++) {
				if (name[c] ~ /_kib$/) {
					line(c, 1); all = 3600 * slope
					line(c, int(n / 2) + 1)
					bad = slope * span > 0.01 * mean && slope > 3 * error
					printf "%-12s %s: mean %d (least %d, most %d) KiB; trend of all %+.0f KiB an hour, of the second half %+.0f +- %.0f\n",
						name[c], verdict(bad), mean, least(c, 1, n), most(c, 1, n), all, 3600 * slope, 3600 * error
				} else if (name[c] == "goroutines" || name[c] == "files") {
					a = least(c, 1, int(n / 4)); b = least(c, n - int(n / 4) + 1, n)
					bad = b > a + 5 && b > 1.05 * a
					printf "%-12s %s: least of the first quarter %d, of the last %d; most %d\n", name[c], verdict(bad), a, b, most(c, 1, n)
				}
			}
			exit failed
		}' "$1"
}

if [ "${1-}" = --judge ]; then
	[ $# -ge 2 ] || usage
	warm=$(seconds "${3:-0}")
	judge "$2" "$warm"
	exit
fi
[[ "${1-}" != -* ]] || usage

out=${1:-soak-results}
mkdir -p "$out"
out=$(realpath "$out")
whipsaw=${WHIPSAW:-}
if [ -z "$whipsaw" ]; then
	whipsaw=$out/whipsaw
	(cd "$(dirname "$0")/../.." && CGO_ENABLED=0 go build -o "$whipsaw" ./cmd/whipsaw)
fi
time=$(seconds "${TIME:-1h}")
warm=$(seconds "${WARM:-10m}")
port=${PORT:-18980}
base=http://127.0.0.1:$port admin=http://127.0.0.1:$((port + 2))
clip=()
[ -z "${CLIP:-}" ] || clip=(--clip "$CLIP")

started=() # processes, and groups of them with a - before
# shellcheck disable=SC2317 # the trap calls it
leave() {
	local p
	for p in "${started[@]}"; do kill -- "$p" 2>/dev/null || true; done
	wait
}
trap leave EXIT

"$whipsaw" --listen "127.0.0.1:$port" --webrtc-udp "127.0.0.1:$((port + 1))" --admin "127.0.0.1:$((port + 2))" \
	--log-level warn --window 14s --resume 15s >"$out/server.log" 2>&1 &
server=$!
started+=("$server")
up=
while [ -z "$up" ]; do
	sleep 0.5
	up=$(curl -fs -o "$out/metrics" "$admin/metrics" && echo up) || true
	kill -0 "$server" 2>/dev/null || { cat "$out/server.log"; exit 1; } # or another server would answer
done

# metric NAME: of the metrics that were fetched last; with several series their sum.
metric() { awk -v name="$1" '{ split($1, m, "{") } m[1] == name { s += $2 } END { printf "%.0f\n", s }' "$out/metrics"; }

# sample SECOND: one line of the CSV.
sample() {
	local rss threads files live
	curl -fs -o "$out/metrics" "$admin/metrics" || return 1
	rss=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$server/status")
	threads=$(awk '$1 == "Threads:" { print $2 }' "/proc/$server/status")
	files=$(find "/proc/$server/fd" -mindepth 1 | wc -l)
	live=$(($(metric go_memstats_next_gc_bytes) * 100 / (100 + $(metric go_gc_gogc_percent)) / 1024))
	echo "$1,$rss,$live,$(metric go_goroutines),$files,$threads,$(metric whipsaw_streams),$(metric whipsaw_sessions)"
}
head='second,rss_kib,live_heap_kib,goroutines,files,threads,streams,sessions'

# guests: publishers who come and go, until the script ends.
guests() {
	local round=0 name end
	while :; do
		round=$((round + 1)) name=guest end=()
		case $((round % 4)) in
		2) end=(timeout --foreground -s KILL 15) ;; # the next one comes back to its stream
		0) name=guest-$round ;;
		esac
		"${end[@]}" "$whipsaw" bench publish "$base/whip/$name" --warm 0s --time 20s "${clip[@]}" >/dev/null 2>&1 &
		local publisher=$!
		sleep 4
		timeout --foreground 30 "$whipsaw" bench watch "$base/hls/$name/index.m3u8" --viewers 5 --warm 1s --time 6s >/dev/null 2>&1 || true
		if [ $((round % 4)) -eq 0 ]; then
			curl -s -o /dev/null -X DELETE "$admin/api/streams/$name" || true
		fi
		wait "$publisher" || true
		echo "$round" >"$out/guests"
		sleep 3
	done
}

# passers: viewers who come and go.
passers() {
	while :; do
		timeout --foreground -s KILL 30 "$whipsaw" bench watch "$base/hls/soak1/index.m3u8" --viewers 5 --warm 1s --time 5s >/dev/null 2>&1 || true
		timeout --foreground -s KILL 4 "$whipsaw" bench watch "$base/hls/soak1/index.m3u8" --viewers 5 --warm 1s --time 9s >/dev/null 2>&1 || true
		sleep 2
	done
}

{ echo "$head"; sample 0; } >"$out/before.csv"
streams=${STREAMS:-2}
"$whipsaw" bench publish "$base/whip/soak{n}" --streams "$streams" --warm 0s --time $((time + 60))s "${clip[@]}" \
	--json "$out/publish.json" >"$out/publish.txt" 2>&1 &
publisher=$!
started+=("$publisher")
sleep 4
"$whipsaw" bench watch "$base/hls/soak{n}/index.m3u8" --streams "$streams" --viewers "${VIEWERS:-20}" --warm 10s \
	--time $((time + 60))s --pid "$server" --json "$out/watch.json" >"$out/watch.txt" 2>&1 &
watcher=$!
started+=("$watcher")
set -m # what a guest has begun ends with it
guests 2>/dev/null &
guest=$!
passers 2>/dev/null &
passer=$!
set +m
started+=(-"$guest" -"$passer")

begun=$SECONDS
echo "$head" >"$out/soak.csv"
while [ $((SECONDS - begun)) -lt "$time" ]; do
	sample $((SECONDS - begun)) >>"$out/soak.csv" || { echo "the server does not answer any more"; tail "$out/server.log"; exit 1; }
	kill -0 "$publisher" || { cat "$out/publish.txt"; exit 1; }
	sleep 10
done
kill -- -"$guest" -"$passer"
kill -INT "$watcher"
wait "$watcher" || true
kill -INT "$publisher"
wait "$publisher" || true

# all have left: what they had is given back within a minute and a half, by resume and by what keeps connections open
for i in $(seq 18); do
	sleep 5
	sample "$i" >"$out/after"
	if [ "$(metric whipsaw_streams)" -eq 0 ] && [ "$i" -ge 6 ]; then break; fi
done
for _ in 1 2 3; do curl -fs -o /dev/null "$admin/debug/pprof/heap?gc=1"; done # pools outlive one collection
{ echo "$head"; sample "$i"; } >"$out/after.csv"

status=0
judge "$out/soak.csv" "$warm" || status=1
value() { tail -1 "$1" | cut -d, -f"$2"; }
for c in 4:goroutines 5:files 7:streams; do
	was=$(value "$out/before.csv" "${c%:*}") is=$(value "$out/after.csv" "${c%:*}")
	verdict=given\ back
	[ "$is" -le $((was + 3)) ] || { verdict=KEPT status=1; }
	printf '%-12s %s: %d before anybody came, %d after all have left\n' "${c#*:}" "$verdict" "$was" "$is"
done
echo "live heap    $(value "$out/before.csv" 3) KiB before anybody came, $(value "$out/after.csv" 3) after all have left; RSS $(value "$out/before.csv" 2), $(value "$out/after.csv" 2)"
echo "guests       $(cat "$out/guests") publishers came and went"
grep -E '^(requests|part delay|stalls|errors|server, in all)' "$out/watch.txt" || { cat "$out/watch.txt"; status=1; }
if ! grep -qE '^stalls +0,' "$out/watch.txt" || ! grep -qE '^errors +0 ' "$out/watch.txt"; then
	echo "STALLS or ERRORS of those who stayed"
	status=1
fi
grep -E '^published' "$out/publish.txt"
grep -q 'publishers lost 0' "$out/publish.txt" || { cat "$out/publish.txt"; status=1; }
exit $status
