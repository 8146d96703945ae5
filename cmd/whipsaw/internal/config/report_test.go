package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	c := parseServe(t, env{"WHIPSAW_PUBLISH_TOKEN": "hunter2", "WHIPSAW_API_TOKEN": "hunter3", "WHIPSAW_WEBHOOK": "https://u:hunter4@x.example/hunter5",
		"WHIPSAW_WATCH_KEY": strings.Repeat("hunter6", 6), "WHIPSAW_STREAM_TOKEN": "studio-*=hunter7"},
		"--part=111ms", "--public-ip=192.0.2.1", "--jwt-jwks=https://keys.example/jwks.json", "--demo")
	b, err := json.Marshal(Report(c))
	require.NoError(t, err)
	require.NotContains(t, string(b), "hunter")
	for _, want := range []string{`"Part":"111ms"`, `"PublicIPs":["192.0.2.1"]`, `"PublishToken":"[secret]"`, `"Demo":true`, `"JWTKeys":"https://keys.example/jwks.json"`, `studio-*=[secret]`} {
		require.Contains(t, string(b), want)
	}
}

func TestReportOfURLs(t *testing.T) {
	require.Equal(t, "http://x.example/a", harmless("http://x.example/a"))
	require.NotContains(t, harmless("http://user:hunter2@x.example/a?key=hunter2"), "hunter2")
	require.Equal(t, hidden, harmless("http://[::1/hunter2"))
}
