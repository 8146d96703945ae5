//go:build !linux

package signaling

import (
	"net"
	"net/netip"
)

// batch reads packets from a socket, for one goroutine: here one with each call.
type batch struct{ c *net.UDPConn }

func newBatch(c *net.UDPConn) (*batch, error) { return &batch{c}, nil }

func (b *batch) readFrom(p []byte) (int, netip.AddrPort, error) { return b.c.ReadFromUDPAddrPort(p) }
