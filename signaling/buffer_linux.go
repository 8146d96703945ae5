package signaling

import (
	"net"
	"syscall"
)

// receiveBuffer is how many bytes a socket's receive buffer was asked for, as far as the kernel granted it.
func receiveBuffer(c *net.UDPConn) (bytes int, known bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var size int
	var failed error
	err = raw.Control(func(fd uintptr) {
		size, failed = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
	})
	return size / 2, err == nil && failed == nil // the kernel doubles it, for its own needs (socket(7))
}
