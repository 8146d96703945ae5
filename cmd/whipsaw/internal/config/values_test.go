package config

import "strings"

// twoValues are good values of each setting, which differ; for those that repeat the first has several.
var twoValues = map[string][2]string{
	"config": {"a.yaml", "b.yaml"}, "tls-cert": {"a.pem", "b.pem"}, "tls-key": {"a.key", "b.key"}, "tls-self-signed": {"true", "false"},
	"acme-domain": {"a.example,b.example", "c.example"}, "acme-email": {"a@a.example", "b@b.example"}, "acme-dir": {"/var/a", "/var/b"},
	"acme-server": {"https://a.example/dir", "https://b.example/dir"}, "acme-ca": {"a.pem", "b.pem"}, "http3": {"true", "false"},
	"http3-listen": {":1", ":2"}, "http-redirect": {":1", ":2"}, "hsts": {"1h", "2h"}, "max-connections": {"1", "2"}, "max-egress": {"1M", "2G"}, "max-sessions-per-address": {"1", "2"},
	"trusted-proxy": {"192.0.2.0/24,2001:db8::/32", "192.0.2.1"}, "public-url": {"https://a.example", "https://b.example"},
	"path-prefix": {"/a", "/b"},
	"cors-origin": {"https://a.example,https://b.example", "https://c.example"},
	"listen":      {"127.0.0.1:1", "127.0.0.1:2"}, "webrtc-udp": {":1", ":2"}, "public-ip": {"192.0.2.1,192.0.2.2", "192.0.2.3"},
	"webrtc-tcp": {":1", ":2"}, "stun": {"stun:a", "stun:b:1"}, "ice-lite": {"true", "false"}, "ice-server": {"stun:a,turn:b", "turns:c"},
	"turn-secret": {"a", "b"}, "turn-user": {"a", "b"}, "turn-password": {"a", "b"}, "turn-lifetime": {"1h", "2h"},
	"on-conflict": {"reject", "takeover"}, "connect-timeout": {"16s", "17s"}, "media-timeout": {"16s", "17s"},
	"silence-timeout": {"6s", "7s"},
	"part":            {"101ms", "102ms"}, "segment": {"3s", "4s"}, "max-segment": {"11s", "12s"}, "window": {"31s", "32s"}, "resume": {"1s", "2s"},
	"state": {"/var/a", "/var/b"}, "on-loss": {"show", "freeze"}, "codec": {"h264", "H264,opus"}, "max-bitrate": {"1", "2"}, "on-excess": {"end", "tell"}, "recovery-points": {"true", "false"}, "video-only-variant": {"true", "false"},
	"prft": {"true", "false"}, "max-streams": {"3", "4"}, "max-access-unit": {"1MiB", "2MiB"}, "max-stream-memory": {"65MiB", "66MiB"}, "max-memory": {"1GiB", "2GiB"},
	"publish-token": {"a", "b"}, "stream-token": {"a=b,c=d", "e=f"}, "watch-token": {"a=b,c=d", "e=f"}, "open-publish": {"true", "false"},
	"jwt-secret": {strings.Repeat("a", 32), strings.Repeat("b", 32)}, "jwt-jwks": {"https://a.example/keys", "keys.json"}, "jwt-issuer": {"a", "b"},
	"jwt-audience": {"a", "b"}, "auth-url": {"https://a.example/", "https://b.example/"}, "watch-for": {"1h", "2h"},
	"watch-key": {strings.Repeat("a", 32) + "," + strings.Repeat("b", 32), strings.Repeat("c", 32)}, "admin": {":1", ":2"}, "log-format": {"json", "text"},
	"log-level": {"debug", "warn"}, "api-token": {"a", "b"}, "api-read-token": {"a", "b"}, "webhook": {"https://a.example/x", "http://b.example/y"},
	"webhook-secret": {"a", "b"}, "warn-bitrate": {"1", "2"}, "demo": {"true", "false"},
}
