package api

import "net/http"

// problem is a refusal (RFC 9457 3.1).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// kinds are the last parts of a problem's type, which programs may compare.
var kinds = map[int]string{
	http.StatusBadRequest: "malformed", http.StatusUnauthorized: "unauthorized", http.StatusForbidden: "forbidden", http.StatusNotFound: "no-such-stream",
	http.StatusTooManyRequests: "rate", http.StatusServiceUnavailable: "undecided",
	http.StatusConflict: "nothing-to-end",
}

// refuse is the one place where an error becomes an answer.
func (s *server) refuse(w http.ResponseWriter, status int, detail string) {
	if status == http.StatusUnauthorized {
		// RFC 6750 3: what kind of credentials are wanted
		w.Header().Set("WWW-Authenticate", `Bearer realm="whipsaw"`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	send(w, status, problem{"urn:whipsaw:problem:" + kinds[status], http.StatusText(status), status, detail}, s.log)
}
