package signaling

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// batchSize is how many packets one call takes from the kernel: a picture of a few Mbit/s, sent at once, has nine.
const batchSize = 16

// batch reads packets from a socket, several with one call to the kernel, for one goroutine. Such a call never blocks, so
// that the runtime is not told of it: told, it would wake its monitor for the first call after each idle moment, which
// costs more than the call.
type batch struct {
	raw  syscall.RawConn
	fill func(fd uintptr) bool
	err  error // of the last call

	ready, next int // packets that the last call brought, and how many of those were read
	messages    [batchSize]message
	vectors     [batchSize]syscall.Iovec
	names       [batchSize]sockaddr
	buffers     [batchSize][receiveMTU]byte
}

// message is struct mmsghdr of recvmmsg(2).
type message struct {
	header syscall.Msghdr
	length uint32
}

// sockaddr has room for sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)).
type sockaddr [syscall.SizeofSockaddrInet6]byte

func newBatch(c *net.UDPConn) (*batch, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("signaling: media port: %w", err)
	}
	b := &batch{raw: raw}
	b.fill = b.receive
	for i := range b.messages {
		b.vectors[i].Base = &b.buffers[i][0]
		b.vectors[i].SetLen(receiveMTU)
		h := &b.messages[i].header
		h.Name, h.Iov, h.Iovlen = &b.names[i][0], &b.vectors[i], 1
	}
	return b, nil
}

// readFrom returns the next packet and where it came from. Packets that are longer than receiveMTU are passed over.
func (b *batch) readFrom(p []byte) (int, netip.AddrPort, error) {
	for {
		if b.next == b.ready {
			if err := b.raw.Read(b.fill); err != nil {
				return 0, netip.AddrPort{}, err
			}
			if b.err != nil {
				return 0, netip.AddrPort{}, b.err
			}
		}
		i := b.next
		b.next++
		m := &b.messages[i]
		from, ok := b.names[i].addrPort()
		if !ok || m.header.Flags&syscall.MSG_TRUNC != 0 {
			continue
		}
		return copy(p, b.buffers[i][:m.length]), from, nil
	}
}

// receive takes what there is; false means that there is nothing yet.
func (b *batch) receive(fd uintptr) bool {
	for i := range b.messages {
		b.messages[i].header.Namelen = syscall.SizeofSockaddrInet6 // the kernel writes it
	}
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.messages[0])), batchSize, syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			b.next, b.ready, b.err = 0, int(n), nil
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			b.next, b.ready, b.err = 0, 0, os.NewSyscallError("recvmmsg", errno)
			return true
		}
	}
}

// addrPort is the address; false for one of another family.
func (s *sockaddr) addrPort() (netip.AddrPort, bool) {
	port := binary.BigEndian.Uint16(s[2:])
	switch binary.NativeEndian.Uint16(s[:]) {
	case syscall.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s[4:8])), port), true
	case syscall.AF_INET6:
		a := netip.AddrFrom16([16]byte(s[8:24]))
		// RFC 4007 6: only link-local addresses are of a zone
		if zone := binary.NativeEndian.Uint32(s[24:]); zone != 0 {
			a = a.WithZone(strconv.FormatUint(uint64(zone), 10))
		}
		return netip.AddrPortFrom(a, port), true
	}
	return netip.AddrPort{}, false
}
