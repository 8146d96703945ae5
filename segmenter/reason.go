package segmenter

import "errors"

// Errors of Registry.Publish.
var (
	ErrBusy    = errors.New("segmenter: the stream has a publisher")      // another publisher holds the stream and may not be replaced now
	ErrName    = errors.New("segmenter: not a stream name")               // the name is not [A-Za-z0-9][A-Za-z0-9._-]{0,63}
	ErrTooMany = errors.New("segmenter: too many streams")                // MaxStreams reached
	ErrMemory  = errors.New("segmenter: no memory left")                  // what all streams keep is near MaxTotal
	ErrClosed  = errors.New("segmenter: closed")                          // the registry is closing
	ErrTracks  = errors.New("segmenter: no usable combination of tracks") // none, or two of one kind
)

// Reason says why a publisher ended, in a word that is the same in log, API and metrics.
type Reason string

// The reasons. Those from ReasonReplaced on are decided by the stream, the others by signaling.
const (
	ReasonDeleted        Reason = "deleted"           // DELETE by the publisher
	ReasonPeerClosed     Reason = "peer-closed"       // DTLS close_notify
	ReasonICEFailed      Reason = "ice-failed"        // connectivity lost
	ReasonNotConnected   Reason = "not-connected"     // ICE and DTLS did not come up in time
	ReasonShutdown       Reason = "shutdown"          // the server ends
	ReasonKicked         Reason = "kicked"            // the operator ended it
	ReasonReplaced       Reason = "replaced"          // another publisher took the stream over
	ReasonNoMedia        Reason = "no-media"          // not one usable picture or sound in time
	ReasonNoParameters   Reason = "no-parameter-sets" // pictures, but neither SDP nor stream brought SPS and PPS
	ReasonNoRandomAccess Reason = "no-idr"            // pictures, but never an IDR
	ReasonSilent         Reason = "silent"            // media stopped
	ReasonTooLarge       Reason = "too-large"         // an access unit, or all that is kept of the stream, over its bound
	ReasonTooFast        Reason = "too-fast"          // more bits per second than its stream may have, for some time
	ReasonInternal       Reason = "internal-error"    // a fault of the server; the log tells
)
