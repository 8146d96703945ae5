package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/doctor"
)

// dashboard is as much of Grafana's format as matters here.
type dashboard struct {
	Panels []struct {
		ID      int
		Type    string
		Title   string
		Targets []struct{ Expr string }
	}
}

var metricName = regexp.MustCompile(`\b(whipsaw|go|process)_[a-z0-9_]+\b`)

// Every metric that the dashboard asks for exists.
func TestDashboard(t *testing.T) {
	raw, err := os.ReadFile("deploy/grafana.json")
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(raw, &d))
	asked := map[string]bool{}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		require.False(t, ids[p.ID], "%s: panels have their own ids", p.Title)
		ids[p.ID] = true
		require.True(t, p.Type == "row" || len(p.Targets) > 0, p.Title)
		for _, target := range p.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			require.NotEmpty(t, names, target.Expr)
			for _, name := range names {
				asked[name] = true
			}
		}
	}
	require.Greater(t, len(asked), 30)

	metrics := ""
	synctest.Test(t, func(t *testing.T) {
		p, stop := newPanel(t, doctor.Limits{Segment: 2 * time.Second})
		defer stop()
		s := sender{film: film(t, "plain.h264"), reports: true, obeys: true}
		s.publish(t, p.reg, 6*time.Second)
		player := httptest.NewRequest(http.MethodGet, "/live/player", nil)
		player.Header.Set("CMCD-Request", "bl=900,ltc=1200,bs")
		p.web.ServeHTTP(httptest.NewRecorder(), player)
		metrics = p.read("/metrics")
	})
	session := serve(t) // has what only a server with a network counts
	_, _, body := fetch(t, session.AdminURL()+"/metrics")
	metrics += string(body)
	for name := range asked {
		require.True(t, strings.Contains(metrics, "\n"+name+"{") || strings.Contains(metrics, "\n"+name+" "), "there is no metric %s", name)
	}
}
