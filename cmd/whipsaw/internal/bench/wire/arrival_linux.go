//go:build linux && (amd64 || arm64 || riscv64)

package wire

import (
	"encoding/binary"
	"net"
	"syscall"
	"time"
)

// nowhere is where bytes would go that are passed over. The kernel does not write to it (MSG_TRUNC, tcp(7)).
var nowhere [1 << 20]byte

// stamped lets the kernel note when bytes come in, so that the bench's own haste or delay is not in what it measures,
// and lets bytes be passed over without copying them.
func (c *connection) stamped(t *net.TCPConn) {
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
	if err != nil || failed != nil {
		return
	}
	r := &receiver{raw: raw}
	r.ready = r.receive
	c.read = func(b []byte) (int, error) { return r.run(b, 0) }
	c.pass = func(n int) (int, error) { return r.run(nowhere[:min(n, len(nowhere))], syscall.MSG_TRUNC) }
	c.arrival = func() time.Time { return r.at }
}

// receiver calls recvmsg when there is something to receive.
type receiver struct {
	raw   syscall.RawConn
	ready func(fd uintptr) bool // receive, made once
	b     []byte
	flags int
	oob   [64]byte

	n   int
	err error
	at  time.Time // when the last byte that was received came
}

func (r *receiver) run(b []byte, flags int) (int, error) {
	r.b, r.flags = b, flags
	err := r.raw.Read(r.ready)
	r.b = nil
	if err != nil {
		return 0, err
	}
	return r.n, r.err
}

func (r *receiver) receive(fd uintptr) bool {
	for {
		n, oob, _, _, err := syscall.Recvmsg(int(fd), r.b, r.oob[:], r.flags)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		r.n, r.err = max(n, 0), err
		r.stamp(r.oob[:oob])
		return true
	}
}

// stamp reads the control message (cmsg(3)): length, level and type, and a timespec.
func (r *receiver) stamp(oob []byte) {
	if len(oob) < 32 || binary.NativeEndian.Uint32(oob[8:]) != syscall.SOL_SOCKET ||
		binary.NativeEndian.Uint32(oob[12:]) != syscall.SO_TIMESTAMPNS {
		r.at = time.Now()
		return
	}
	r.at = time.Unix(int64(binary.NativeEndian.Uint64(oob[16:])), int64(binary.NativeEndian.Uint64(oob[24:])))
}
