// Package signaling is the WHIP server (RFC 9725): HTTP on one side, peer connections on the other, and nothing of
// media but packets passing through.
//
// # What happens to a POST
//
// handler.go lets a request in: method, origin (guard.go), token (auth.go), rate and number of sessions (limit.go), all
// before anything is allocated. offer.go reads the SDP and refuses what could never work, with a sentence that says
// which setting to change. What it accepts is written anew by normal.go: one payload type per section, no candidate that
// cannot be used, no extension that is not understood. Only this text of ours reaches the WebRTC library, so that its
// answer is known before it is made. peer.go makes the peer connection and the answer, and only then the stream is taken
// (segmenter.Registry.Publish): an offer that fails replaces nobody.
//
// # What happens afterwards
//
// A session (session.go) has one goroutine. It waits for the first of: the peer is gone, the stream ended the publisher,
// DELETE, the server closes, or no connection came up in time. Then it ends the other side and leaves a tombstone, so
// that a late DELETE is still answered with 200. batch_linux.go reads the media port, express.go decrypts media before it
// goes through the library, as soon as the handshake's secrets are known. tap.go is where decrypted packets come, from
// there or from the library; media.go gives them to the stream's tracks on the same goroutine. feedback.go carries the
// other way what the stream wishes (NACK, PLI), what has arrived (reception.go, transportwide.go) and what may be sent
// (remb.go).
//
// # Secrets
//
// The last path element of a session URL is the secret by which PATCH and DELETE are allowed. It stands in no log line
// and goes to no other package; logs and API know a session by a second, short name.
package signaling
