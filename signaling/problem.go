package signaling

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// problem is a refusal as the client sees it (RFC 9457). Its kind is stable: programs may compare it, people read detail.
type problem struct {
	status int
	kind   string // last part of "type"
	title  string
	detail string // what was wrong and which setting to change

	retryAfter int    // seconds; 0: no Retry-After
	allow      string // 405: the methods there are
}

// problemPrefix makes a problem's kind a URI (RFC 9457 3.1.1).
const problemPrefix = "urn:whipsaw:problem:"

// The kinds of problem, each with its status, so that a kind never appears under two statuses.
var (
	probSyntax       = problem{status: http.StatusBadRequest, kind: "malformed", title: "The body is not what its type says"}
	probUnauthorized = problem{status: http.StatusUnauthorized, kind: "unauthorized", title: "A publish token is needed"}
	probForbidden    = problem{status: http.StatusForbidden, kind: "forbidden", title: "This token gives no right to the stream"}
	probOrigin       = problem{status: http.StatusForbidden, kind: "foreign-origin", title: "Not open to other sites"}
	probBlocked      = problem{status: http.StatusForbidden, kind: "blocked", title: "The stream is blocked"}
	probStream       = problem{status: http.StatusNotFound, kind: "no-such-stream", title: "Not a stream name"}
	probSession      = problem{status: http.StatusNotFound, kind: "no-such-session", title: "No such session"}
	probPath         = problem{status: http.StatusNotFound, kind: "no-such-path", title: "Nothing is here"}
	probMethod       = problem{status: http.StatusMethodNotAllowed, kind: "method", title: "Method not allowed here"}
	probBusy         = problem{status: http.StatusConflict, kind: "busy", title: "The stream has a publisher"}
	probETag         = problem{status: http.StatusPreconditionFailed, kind: "stale-etag", title: "The ICE session has changed"}
	probTooLarge     = problem{status: http.StatusRequestEntityTooLarge, kind: "too-large", title: "The body is too large"}
	probType         = problem{status: http.StatusUnsupportedMediaType, kind: "content-type", title: "Wrong Content-Type"}
	probIfMatch      = problem{status: http.StatusPreconditionRequired, kind: "if-match", title: "If-Match is needed"}
	probRate         = problem{status: http.StatusTooManyRequests, kind: "rate", title: "Too many requests"}
	probSlow         = problem{status: http.StatusRequestTimeout, kind: "slow-body", title: "The body did not come in time"}
	probInternal     = problem{status: http.StatusInternalServerError, kind: "internal", title: "The server failed"}
	probFull         = problem{status: http.StatusServiceUnavailable, kind: "overloaded", title: "The server is full", retryAfter: 10}
	probCrowded      = problem{status: http.StatusServiceUnavailable, kind: "address-full", title: "Too many sessions from this address", retryAfter: 10}
	probMemory       = problem{status: http.StatusServiceUnavailable, kind: "memory", title: "The server has no memory for another stream", retryAfter: 10}
	probUndecided    = problem{status: http.StatusServiceUnavailable, kind: "undecided", title: "Whether this is allowed cannot be told now", retryAfter: 5}
	probClosing      = problem{status: http.StatusServiceUnavailable, kind: "closing", title: "The server is closing", retryAfter: 5}

	// Offers that can be read but not be served: RFC 9725 4.2 asks for 422.
	probCodec     = problem{status: http.StatusUnprocessableEntity, kind: "codec-not-supported", title: "No supported codec"}
	probCodecRule = problem{status: http.StatusUnprocessableEntity, kind: "codec-not-allowed", title: "Not a codec of this stream"}
	probDirection = problem{status: http.StatusUnprocessableEntity, kind: "direction", title: "The offer does not send"}
	probSections  = problem{status: http.StatusUnprocessableEntity, kind: "sections", title: "Not a supported set of media sections"}
	probSimulcast = problem{status: http.StatusUnprocessableEntity, kind: "simulcast", title: "Simulcast is not supported"}
	probTransport = problem{status: http.StatusUnprocessableEntity, kind: "transport", title: "Not a supported transport"}
)

// with returns a copy of p with a detail sentence.
func (p problem) with(detail string) *problem {
	p.detail = detail
	return &p
}

// document is the JSON form (RFC 9457 3.1).
func (p *problem) document() []byte {
	b, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{problemPrefix + p.kind, p.title, p.status, p.detail})
	if err != nil { // four strings and a number always marshal
		return []byte("{}")
	}
	return b
}

// refusedBodyTime is how long what is left of a refused request's body may take. Before it answers, net/http reads that
// for as long as it comes, to use the connection again.
const refusedBodyTime = time.Second

// writeProblem is the one place where an error becomes a response.
func writeProblem(w http.ResponseWriter, r *http.Request, p *problem) {
	if r.ContentLength != 0 {
		// Where there are no deadlines (recorders), there is nothing to wait for either.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(refusedBodyTime))
	}
	h := w.Header()
	body := p.document()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.status == http.StatusUnauthorized {
		// RFC 6750 3: what kind of credentials are wanted
		h.Set("WWW-Authenticate", `Bearer realm="whipsaw"`)
	}
	w.WriteHeader(p.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone; there is nobody left to tell
	}
}
