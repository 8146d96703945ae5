package signaling

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// errAnswer is wrapped by errors about an answer that is not the one the offer should have got.
var errAnswer = errors.New("signaling: unusable answer")

// finishAnswer turns the library's answer into ours: it repeats the offered transport and mids, has the announced
// candidates once, in order, and no RTCP component, which RTP and RTCP on one port leave no room for. It fails if a
// section was rejected or has lost its codec: then the offer is refused as a whole (RFC 9725 4.4.3).
func finishAnswer(raw string, o *offer, out outside) (string, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return "", fmt.Errorf("%w: %w", errAnswer, err)
	}
	if len(d.MediaDescriptions) != len(o.sections) {
		return "", fmt.Errorf("%w: %d sections for %d", errAnswer, len(d.MediaDescriptions), len(o.sections))
	}
	announced := announce(localCandidates(&d), out)
	if len(announced) == 0 {
		return "", fmt.Errorf("%w: no candidate to reach the server by", errAnswer)
	}
	for i, m := range d.MediaDescriptions {
		s := o.sections[i]
		if m.MediaName.Port.Value == 0 || !slices.Contains(m.MediaName.Formats, strconv.Itoa(int(s.pt))) {
			return "", fmt.Errorf("%w: %s was rejected", errAnswer, s.kind)
		}
		m.MediaName.Protos = strings.Split(s.proto, "/")
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			return a.Key == "candidate" || a.Key == "end-of-candidates" || a.Key == "mid" && s.mid == "" ||
				a.Key == "rtcp-rsize" && !s.rsize
		})
		tellBound(o, m)
		if i > 0 {
			continue
		}
		for _, c := range announced {
			m.WithValueAttribute("candidate", strings.TrimPrefix(c.String(), "candidate:"))
		}
		m.WithPropertyAttribute("end-of-candidates")
	}
	if !o.bundled {
		d.Attributes = slices.DeleteFunc(d.Attributes, func(a sdp.Attribute) bool { return a.Key == "group" })
	}
	text, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errAnswer, err)
	}
	return string(text), nil
}

// restartFragment is the body that answers an ICE restart: the server's new credentials and candidates, in the section
// that carries the transport (RFC 9725 4.3.3).
func restartFragment(raw string, o *offer, out outside) (*fragment, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	if len(d.MediaDescriptions) == 0 {
		return nil, fmt.Errorf("%w: no section", errAnswer)
	}
	lists := [][]sdp.Attribute{d.MediaDescriptions[0].Attributes, d.Attributes}
	// RFC 9725 4.3.3: the same ice-options and ice-lite as in the answer
	f := &fragment{session: credentials{first(lists, "ice-ufrag"), first(lists, "ice-pwd")}, options: first(lists, "ice-options")}
	_, f.lite = value(d.Attributes, "ice-lite")
	s := o.sections[0]
	m := fragmentMedia{line: fmt.Sprintf("%s 9 %s %d", s.kind, s.proto, s.pt), mid: s.mid, end: true}
	for _, c := range announce(localCandidates(&d), out) {
		m.candidates = append(m.candidates, c.String())
	}
	f.media = []fragmentMedia{m}
	return f, nil
}

// localCandidates returns the RTP candidates of the library's own description.
func localCandidates(d *sdp.SessionDescription) []candidate {
	var out []candidate
	for _, m := range d.MediaDescriptions {
		for _, v := range values(m.Attributes, "candidate") {
			if c, ok := parseCandidate(v); ok {
				out = append(out, c)
			}
		}
	}
	return out
}
