package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/signaling"
)

// access makes the gate that the settings ask for.
func (s *instance) access() (*access.Gate, error) {
	if s.cfg.Demo && s.cfg.Authenticated() {
		s.demo = rand.Text()
	}
	cfg, err := s.gateConfig(s.cfg.Access)
	if err != nil {
		return nil, err
	}
	s.warnOverheard(cfg)
	g, err := access.New(cfg, s.log)
	if err != nil {
		return nil, fmt.Errorf("--jwt-jwks %s: %w", s.cfg.JWTKeys, err)
	}
	return g, nil
}

// warnOverheard tells of what others could hear, or change on the way.
func (s *instance) warnOverheard(cfg access.Config) {
	for flag, at := range map[string]string{"--auth-url": cfg.URL, "--jwt-jwks": cfg.JWT.Keys} {
		if overheard(at) {
			s.log.Warn("this goes over the network without encryption: whoever is on the way can let publishers in", "setting", flag)
		}
	}
}

// gateConfig is what the gate goes by: the settings, and a token of the demo's own.
func (s *instance) gateConfig(c config.Access) (access.Config, error) {
	cfg, err := c.Gate()
	if err != nil || s.demo == "" {
		return cfg, err
	}
	own, err := access.NewToken(access.Publish, DemoStream, s.demo)
	cfg.Tokens = append(cfg.Tokens, own)
	return cfg, err
}

// overheard reports whether what is sent to a URL, or comes from it, can be read or changed on the way.
func overheard(at string) bool {
	u, err := url.Parse(at)
	return err == nil && u.Scheme == "http" && !localHost(u.Host)
}

// authorize lets publishers in by the gate; nil if they need no token.
func (s *instance) authorize() func(context.Context, signaling.Attempt) *signaling.Refusal {
	if !s.cfg.Authenticated() {
		return nil
	}
	return func(ctx context.Context, a signaling.Attempt) *signaling.Refusal {
		err := s.gate.Authorize(ctx, access.Request{Right: access.Publish, Stream: a.Stream, Token: a.Token, Address: a.Address, UserAgent: a.UserAgent})
		if err == nil {
			return nil
		}
		return &signaling.Refusal{Status: access.Status(err), Detail: err.Error()}
	}
}
