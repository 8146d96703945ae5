#!/bin/sh
# Makes clip.mp4: ten seconds that show at a glance whether picture and sound arrive whole and together.
#
#   picture  640x360, 30 frames a second, H.264 constrained baseline, an IDR every 2 s, no B-frames, closed GOPs;
#            ffmpeg's testsrc2, the time in the clip, and a white bar that lights for 3 frames at each full second
#   sound    Opus stereo, 48 kHz, 20 ms: a soft chord, and a ping of 80 ms that begins at each full second,
#            on the left in even seconds, on the right in odd ones, an octave higher when the clip begins anew
#
# 300 pictures and 500 packets of sound last 10 s each, so that the clip loops without a seam.
# Usage: ./make-clip.sh [OUTPUT]      needs ffmpeg with libx264, libopus and drawtext, and the DejaVu fonts
set -eu
out=${1:-"$(dirname "$0")/clip.mp4"}
font=/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf

chord='0.035*(sin(2*PI*220*t)+sin(2*PI*277.23*t)+sin(2*PI*329.6*t))*(0.6+0.4*sin(2*PI*t/10))*min(1,min(t,10-t)*8)'
ping='0.5*sin(2*PI*if(lt(t,1),1760,880)*t)*exp(-30*mod(t,1))*lt(mod(t,1),0.08)'

ffmpeg -hide_banner -loglevel error -y \
	-f lavfi -i 'testsrc2=size=640x360:rate=30:duration=10' \
	-f lavfi -i "aevalsrc=exprs='$chord+$ping*(0.25+0.75*not(mod(floor(t),2)))|$chord+$ping*(0.25+0.75*mod(floor(t),2))':s=48000:d=10" \
	-filter_complex "[0:v]drawbox=x=0:y=300:w=640:h=60:color=black@0.75:t=fill,\
drawtext=fontfile=$font:text='whipsaw':x=20:y=316:fontsize=30:fontcolor=white,\
drawtext=fontfile=$font:text='%{eif\:floor(n/30)\:d\:2}.%{eif\:floor(mod(n,30)*1000/30)\:d\:3} s':x=430:y=316:fontsize=30:fontcolor=white,\
drawbox=x=200:y=312:w=200:h=36:color=gray@0.6:t=2,\
drawbox=x=200:y=312:w=200:h=36:color=white:t=fill:enable='lt(mod(n,30),3)',format=yuv420p[v]" \
	-map '[v]' -map 1:a \
	-c:v libx264 -profile:v baseline -level 3.0 -preset veryslow -tune zerolatency -crf 27 -maxrate 300k -bufsize 300k \
	-g 60 -keyint_min 60 -sc_threshold 0 -bf 0 -flags +cgop -threads 1 -x264-params sliced-threads=0:rc-lookahead=40 \
	-bsf:v filter_units=remove_types=6 \
	-c:a libopus -b:a 48k -vbr on -frame_duration 20 -application audio \
	-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1 -t 10 -movflags +faststart "$out"
