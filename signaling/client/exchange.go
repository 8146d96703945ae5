package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ResponseError is a response that the protocol did not want.
type ResponseError struct {
	Status     int
	Type       string        // of problem JSON (RFC 9457); empty if the server sent none
	Title      string        // of problem JSON
	Detail     string        // of problem JSON: what to change
	RetryAfter time.Duration // 0: the server did not say
}

// Error is a sentence for people: the problem's own words if there are any.
func (e *ResponseError) Error() string {
	text := cmp.Or(e.Detail, e.Title, http.StatusText(e.Status))
	return fmt.Sprintf("whip: the server answered %d: %s", e.Status, text)
}

// exchange is the HTTP side of a session.
type exchange struct {
	client   *http.Client
	endpoint *url.URL
	session  *url.URL // nil before the 201
	etag     string
	token    string
	agent    string
}

// maxBody bounds what is read of any response.
const maxBody = 1 << 20

func newExchange(o Options) (*exchange, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: %q is not the URL of a WHIP endpoint, like http://127.0.0.1:8080/whip/live", ErrOptions, o.URL)
	}
	c := http.Client{Timeout: 15 * time.Second}
	if o.HTTPClient != nil {
		c = *o.HTTPClient
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &exchange{client: &c, endpoint: u, token: o.Token, agent: cmp.Or(o.UserAgent, "whipsaw")}, nil
}

// post sends the offer and returns the answer. RFC 9725 4.6: only 307 redirects a POST.
func (x *exchange) post(ctx context.Context, offer string) (answer string, err error) {
	at := x.endpoint
	for range 5 {
		r, err := x.do(ctx, http.MethodPost, at, "application/sdp", offer)
		if err != nil {
			return "", err
		}
		if r.status == http.StatusTemporaryRedirect {
			next, err := at.Parse(r.header.Get("Location"))
			if err != nil || r.header.Get("Location") == "" {
				return "", fmt.Errorf("whip: redirected to nowhere: %q", r.header.Get("Location"))
			}
			at = next
			continue
		}
		return x.created(at, r)
	}
	return "", fmt.Errorf("whip: redirected too often, at last to %s", at.Redacted())
}

// created takes a 201 (RFC 9725 4.2): answer, session URL and entity tag.
func (x *exchange) created(at *url.URL, r *response) (string, error) {
	if r.status != http.StatusCreated {
		return "", r.problem()
	}
	loc := r.header.Get("Location")
	session, err := at.Parse(loc)
	if err != nil || loc == "" {
		return "", fmt.Errorf("whip: the server gave no session URL (Location %q)", loc)
	}
	x.session, x.etag = session, r.header.Get("ETag")
	if t, _, err := mime.ParseMediaType(r.header.Get("Content-Type")); err != nil || t != "application/sdp" {
		return "", fmt.Errorf("whip: the answer is not SDP but %q", r.header.Get("Content-Type"))
	}
	return r.body, nil
}

// delete ends the session. One that the server has ended already is as good.
func (x *exchange) delete(ctx context.Context) error {
	if x.session == nil {
		return nil
	}
	r, err := x.do(ctx, http.MethodDelete, x.session, "", "")
	if err != nil {
		return err
	}
	if r.status/100 != 2 && r.status != http.StatusNotFound && r.status != http.StatusGone {
		return r.problem()
	}
	return nil
}

type response struct {
	status int
	header http.Header
	body   string
}

func (x *exchange) do(ctx context.Context, method string, at *url.URL, contentType, body string) (*response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("whip: %w", err)
	}
	req.Header.Set("User-Agent", x.agent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	// The token is for the endpoint's host; a redirect does not take it elsewhere.
	if x.token != "" && at.Host == x.endpoint.Host && (at.Scheme == x.endpoint.Scheme || at.Scheme == "https") {
		req.Header.Set("Authorization", "Bearer "+x.token)
	}
	res, err := x.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("whip: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("whip: read the response: %w", err)
	}
	return &response{status: res.StatusCode, header: res.Header, body: string(b)}, nil
}

// problem makes an error of a response, with the words of its problem JSON (RFC 9457) if it has one.
func (r *response) problem() error {
	e := &ResponseError{Status: r.status}
	if s, err := strconv.Atoi(r.header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	if t, _, err := mime.ParseMediaType(r.header.Get("Content-Type")); err != nil || t != "application/problem+json" {
		return e
	}
	var p struct{ Type, Title, Detail string }
	if json.NewDecoder(bytes.NewBufferString(r.body)).Decode(&p) == nil {
		e.Type, e.Title, e.Detail = p.Type, p.Title, p.Detail
	}
	return e
}
