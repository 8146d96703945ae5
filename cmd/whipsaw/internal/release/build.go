package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// binary is one that was built.
type binary struct {
	name string // of the file
	size int64
	sum  string // SHA-256, hexadecimal
	info *buildinfo.BuildInfo
}

// versionForm keeps a version from being anything but a word, in file names and among the linker's flags.
var versionForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$`)

// settings of the compiler that the environment could change, and the binary with it.
var settings = []string{
	"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off", "GODEBUG=",
	"GOAMD64=v1", "GOARM64=v8.0", "GOARM=6", "GORISCV64=rva20u64",
}

// build makes the binary for one target.
func build(ctx context.Context, o options, target string) (binary, error) {
	if !versionForm.MatchString(o.version) {
		return binary{}, fmt.Errorf("%w: %q is no version", errUsage, o.version)
	}
	system, machine, _ := strings.Cut(target, "/")
	b := binary{name: fmt.Sprintf("whipsaw-%s-%s-%s", o.version, system, machine)}
	if system == "windows" {
		b.name += ".exe"
	}
	path, err := filepath.Abs(filepath.Join(o.out, b.name))
	if err != nil {
		return binary{}, err
	}
	// The version says which commit it is; what else Go would note of the repository depends on where it is built.
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
		"-ldflags", "-s -w -buildid= -X main.release="+o.version, "-o", path, "./cmd/whipsaw")
	c.Dir = o.source
	c.Env = append(os.Environ(), append(slices.Clone(settings), "GOOS="+system, "GOARCH="+machine)...)
	if out, err := c.CombinedOutput(); err != nil {
		return binary{}, fmt.Errorf("go build: %w: %s", err, bytes.TrimSpace(out))
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return binary{}, err
	}
	sum := sha256.Sum256(content)
	b.size, b.sum = int64(len(content)), hex.EncodeToString(sum[:])
	b.info, err = buildinfo.Read(bytes.NewReader(content))
	return b, err
}

// writeSums writes SHA256SUMS, as sha256sum --check reads it.
func writeSums(o options, built []binary) error {
	var text strings.Builder
	for _, b := range built {
		fmt.Fprintf(&text, "%s  %s\n", b.sum, b.name)
	}
	bill, err := os.ReadFile(filepath.Join(o.out, billName(o)))
	if err != nil {
		return err
	}
	fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(bill), billName(o))
	return os.WriteFile(filepath.Join(o.out, "SHA256SUMS"), []byte(text.String()), 0o644)
}
