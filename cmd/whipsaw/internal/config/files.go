package config

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/certificate"
)

// CheckFiles reads the files that the settings name, as the server does when it starts, and tells all that is wrong with
// them: the error is a Faults.
func (l Loaded) CheckFiles() error {
	var faults []error
	look := func(name string, err error) {
		if err != nil {
			faults = append(faults, l.value(name).fault(err))
		}
	}
	if l.TLSCert != "" {
		_, err := tls.LoadX509KeyPair(l.TLSCert, l.TLSKey)
		look("tls-cert", err)
	}
	if l.ACME.CA != "" {
		_, err := certificate.Authorities(l.ACME.CA)
		look("acme-ca", err)
	}
	if l.JWTKeys != "" {
		look("jwt-jwks", access.CheckKeys(l.JWTKeys))
	}
	return faultsOf(faults)
}

// Exposed tells of each file that holds secrets and that every user of this machine can read.
func (l Loaded) Exposed() (warnings []string) {
	tell := func(path, what string) {
		if readableByAll(path) {
			warnings = append(warnings, fmt.Sprintf("%s holds %s, and every user of this machine can read it: chmod o-r", path, what))
		}
	}
	secret := l.hasSecrets(l.Values)
	for _, s := range l.Sections {
		secret = secret || l.hasSecrets(s.Values)
	}
	if secret {
		tell(l.Config, "secrets")
	}
	if l.TLSKey != "" {
		tell(l.TLSKey, "a private key")
	}
	return warnings
}

// hasSecrets reports whether the file of settings has one of the values, and that in clear.
func (l Loaded) hasSecrets(values []Value) bool {
	return slices.ContainsFunc(values, func(v Value) bool {
		return v.Secret && v.Origin.File != "" && slices.ContainsFunc(v.Given, func(s string) bool { return !strings.Contains(s, "sha256:") })
	})
}

// value returns a setting by its name, which has to be one.
func (l Loaded) value(name string) Value {
	return l.Values[slices.IndexFunc(l.Values, func(v Value) bool { return v.Name == name })]
}

// readableByAll reports whether a file, and the way to it, is open to everybody. Where files have no such modes none is.
func readableByAll(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	return err == nil && runtime.GOOS != "windows" && open(real, 0o004) && passable(filepath.Dir(real))
}

// passable reports whether everybody may go through a directory and all above it.
func passable(dir string) bool {
	up := filepath.Dir(dir)
	return open(dir, 0o001) && (up == dir || passable(up))
}

func open(path string, to os.FileMode) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&to != 0
}
