package signaling

import "log/slog"

// tellBuffers warns, once, if a socket's receive buffer is smaller than it was asked for: then what many publishers send
// at the same moment, keyframes above all, is lost before it is read.
func tellBuffers(sockets []*mediaSocket, log *slog.Logger) {
	for _, s := range sockets {
		if got, known := receiveBuffer(s.UDPConn); known && got < socketBuffer {
			log.Warn("the kernel gives the media port a small receive buffer; set net.core.rmem_max (sysctl) to what is wanted",
				"bytes", got, "wanted", socketBuffer)
			return
		}
	}
}
