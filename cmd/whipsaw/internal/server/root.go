package server

import "os"

// asRoot reports whether this process has all rights on its machine: as root, and in no container, whose root is mostly
// none outside. Nothing here needs that, ports below 1024 neither (AmbientCapabilities in the systemd unit).
func asRoot(uid int, exists func(path string) bool, env func(string) string) bool {
	if uid != 0 || os.Getpid() == 1 {
		return false
	}
	return !exists("/.dockerenv") && !exists("/run/.containerenv") && env("KUBERNETES_SERVICE_HOST") == "" && env("container") == ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
