package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"whipsaw/cmd/whipsaw/internal/certificate"
	"whipsaw/cmd/whipsaw/internal/config"
)

// Reloading is how the settings of a running server change.
type Reloading struct {
	Asked  <-chan os.Signal                  // each value asks for the settings to be read anew
	Read   func() (config.Loaded, error)     // reads them
	Begun  config.Loaded                     // those that the server was started with
	Levels map[string]slog.Level             // of the names in the settings
	Level  *slog.LevelVar                    // of the log
	Done   func(changed []string, err error) // called after each attempt; nil: not called
}

// errTokenNeed is why settings are refused that change what the whole of the server is built on.
var errTokenNeed = errors.New("whether publishers need a token cannot change while the server runs: restart it")

// reloading changes the settings each time that is asked for, until ctx ends.
func (s *instance) reloading(ctx context.Context) {
	r := s.opts.Reload
	last := r.Begun
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.Asked:
		}
		next, changed, err := s.reload(last)
		if err == nil {
			last = next
		}
		if r.Done != nil {
			r.Done(changed, err)
		}
	}
}

// reload reads the settings and takes over what can change. With an error everything is as it was.
func (s *instance) reload(last config.Loaded) (next config.Loaded, changed []string, err error) {
	next, err = s.opts.Reload.Read()
	if err == nil {
		err = s.adopt(next.Serve)
	}
	if err != nil {
		var faults config.Faults
		if !errors.As(err, &faults) {
			faults = config.Faults{err}
		}
		for _, f := range faults {
			s.log.Error("the settings cannot be used, and all stay as they were", "fault", f.Error())
		}
		return last, nil, err
	}
	changed, restart := config.Compare(s.opts.Reload.Begun, last, next)
	s.log.Info("settings read anew", "changed", changed)
	if len(restart) > 0 {
		s.log.Warn("these settings cannot change while the server runs: restart it", "settings", restart)
	}
	return next, changed, nil
}

// adopt takes over what can change: what may fail comes first, the rest cannot.
func (s *instance) adopt(next config.Serve) error {
	present := s.present.Load()
	now, err := present.Adopt(next)
	if err != nil {
		return err
	}
	if now.Authenticated() != present.Authenticated() {
		return errTokenNeed
	}
	gate, err := s.gateConfig(now.Access)
	if err != nil {
		return err
	}
	var files *certificate.Source
	if s.files.Load() != nil {
		if files, err = certificate.FromFiles(now.TLSCert, now.TLSKey, s.log); err != nil {
			return fmt.Errorf("--tls-cert: %w", err)
		}
	}
	s.warnOverheard(gate)
	if err := s.gate.Replace(gate); err != nil {
		return fmt.Errorf("--jwt-jwks %s: %w", now.JWTKeys, err)
	}
	if files != nil {
		s.files.Store(files)
	}
	s.present.Store(&now)
	s.opts.Reload.Level.Set(s.opts.Reload.Levels[now.LogLevel])
	return nil
}

// origins are those whose pages may play streams, as it is set now.
func (s *instance) origins() []string { return s.present.Load().Origins }

// reported is what a bug report tells of the settings, as they are when it is made.
type reported struct{ *instance }

// MarshalJSON is part of json.Marshaler.
func (r reported) MarshalJSON() ([]byte, error) {
	return json.Marshal(config.Report(*r.present.Load()))
}
