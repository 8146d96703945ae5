package server

import (
	"context"
	"crypto/rand"
	"fmt"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/signaling"
)

// access makes the gate that the settings ask for, with a token of its own for the demo.
func (s *instance) access() (*access.Gate, error) {
	cfg, err := s.cfg.Gate()
	if err != nil {
		return nil, err
	}
	if s.cfg.Demo && s.cfg.Authenticated() {
		s.demo = rand.Text()
		own, err := access.NewToken(access.Publish, DemoStream, s.demo)
		if err != nil {
			return nil, err
		}
		cfg.Tokens = append(cfg.Tokens, own)
	}
	g, err := access.New(cfg, s.log)
	if err != nil {
		return nil, fmt.Errorf("--jwt-jwks %s: %w", s.cfg.JWTKeys, err)
	}
	return g, nil
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
