package certificate

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often the files are looked at, at most, and only if there are handshakes.
const lookEvery = time.Second

// files is a pair of files in PEM.
type files struct {
	certPath, keyPath string
	log               *slog.Logger

	current atomic.Pointer[tls.Certificate]
	looked  atomic.Int64 // when, in nanoseconds of the Unix epoch

	mu   sync.Mutex // held by the one handshake that looks
	seen [2]os.FileInfo
}

// FromFiles reads a certificate chain and its key, and reads them again when one of the files has changed. A pair that
// does not fit together, as while it is being replaced, is told once to log, and the one before stays in use.
func FromFiles(certPath, keyPath string, log *slog.Logger) (*Source, error) {
	f := &files{certPath: certPath, keyPath: keyPath, log: log}
	f.looked.Store(time.Now().UnixNano())
	var err error
	if f.seen, err = f.stat(); err != nil {
		return nil, err
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	return &Source{Get: f.get}, nil
}

func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if now, looked := time.Now().UnixNano(), f.looked.Load(); now-looked >= int64(lookEvery) && f.looked.CompareAndSwap(looked, now) {
		f.look()
	}
	return f.current.Load(), nil
}

// look loads the pair if a file is another one than it was.
func (f *files) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := f.stat()
	if same(now[0], f.seen[0]) && same(now[1], f.seen[1]) {
		return
	}
	f.seen = now
	if err == nil {
		err = f.load()
	}
	if err != nil {
		f.log.Warn("the changed certificate cannot be used; the one before stays", "err", err)
	}
}

// stat tells both files apart from what they may be replaced by; a file that is missing is nil.
func (f *files) stat() (seen [2]os.FileInfo, err error) {
	for i, path := range []string{f.certPath, f.keyPath} {
		info, e := os.Stat(path)
		if e != nil {
			err = e
			continue
		}
		seen[i] = info
	}
	return seen, err
}

func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

func (f *files) load() error {
	pair, err := tls.LoadX509KeyPair(f.certPath, f.keyPath)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.certPath, f.keyPath, err)
	}
	f.current.Store(&pair)
	f.log.Info("certificate read", "file", f.certPath, "names", pair.Leaf.DNSNames, "until", pair.Leaf.NotAfter)
	if left := time.Until(pair.Leaf.NotAfter); left < 0 {
		f.log.Warn("the certificate has expired", "file", f.certPath, "on", pair.Leaf.NotAfter)
	}
	return nil
}
