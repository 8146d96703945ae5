package main

import (
	"fmt"
	"io"
	"time"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/config"
)

// signCommand prints links by which a stream can be watched for some time: for players, then our own page.
func signCommand(args []string, env config.Lookup, stdout io.Writer) error {
	cfg, err := config.ParseSign(args, env)
	if err != nil {
		return err
	}
	segment := access.WatchKeys(config.Reveal(cfg.Keys)).Sign(cfg.Stream, time.Now().Add(cfg.For))
	_, err = fmt.Fprintf(stdout, "%s/hls/%s/%s/index.m3u8\n%s/watch/%s/%s\n", cfg.URL, segment, cfg.Stream, cfg.URL, segment, cfg.Stream)
	return err
}
