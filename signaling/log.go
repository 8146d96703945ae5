package signaling

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
	"golang.org/x/time/rate"
)

// libraryLog gives the WebRTC library's own words to slog, at debug level whatever the library thinks of them: what it
// calls an error is a publisher's odd packet here. Its debug and trace levels are left out, and a flood is cut.
type libraryLog struct {
	log   *slog.Logger
	limit *rate.Limiter
}

func newLibraryLog(log *slog.Logger) *libraryLog {
	return &libraryLog{log: log, limit: rate.NewLimiter(10, 100)}
}

// NewLogger makes the logger of one part of the library.
func (l *libraryLog) NewLogger(scope string) logging.LeveledLogger {
	return &scopedLog{libraryLog: l, scope: scope}
}

type scopedLog struct {
	*libraryLog
	scope string
}

func (s *scopedLog) say(level, format string, args ...any) {
	if !s.log.Enabled(context.Background(), slog.LevelDebug) || !s.limit.Allow() {
		return
	}
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	s.log.Debug("webrtc", "scope", s.scope, "level", level, "text", text)
}

func (s *scopedLog) Trace(string)              {}
func (s *scopedLog) Tracef(string, ...any)     {}
func (s *scopedLog) Debug(string)              {}
func (s *scopedLog) Debugf(string, ...any)     {}
func (s *scopedLog) Info(m string)             { s.say("info", "%s", m) }
func (s *scopedLog) Infof(f string, a ...any)  { s.say("info", f, a...) }
func (s *scopedLog) Warn(m string)             { s.say("warn", "%s", m) }
func (s *scopedLog) Warnf(f string, a ...any)  { s.say("warn", f, a...) }
func (s *scopedLog) Error(m string)            { s.say("error", "%s", m) }
func (s *scopedLog) Errorf(f string, a ...any) { s.say("error", f, a...) }
