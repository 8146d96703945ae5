//go:build !linux

package signaling

import "net"

// receiveBuffer is not known here.
func receiveBuffer(*net.UDPConn) (bytes int, known bool) { return 0, false }
