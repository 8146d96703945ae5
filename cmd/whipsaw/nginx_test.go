package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/certificate"
)

// startNginx runs nginx with the configuration that we ship in front of an origin: all that is changed are addresses, the
// certificate and where things lie, and what changes says besides. It returns the URL of the HTTPS server.
func startNginx(t *testing.T, origin string, changes ...string) string {
	t.Helper()
	program := tool(t, "nginx", "nginx")
	dir := t.TempDir()
	_, err := certificate.SelfSigned(dir, []string{"localhost", "127.0.0.1"})
	require.NoError(t, err)
	ports := freePorts(t, 2)
	text, err := os.ReadFile("deploy/nginx.conf")
	require.NoError(t, err)
	pem := filepath.Join(dir, "self-signed.pem")
	text = []byte(replaced(t, string(text), append([]string{
		"server 127.0.0.1:8080;", "server " + strings.TrimPrefix(origin, "http://") + ";",
		"listen 80;", fmt.Sprintf("listen 127.0.0.1:%d;", ports[0]),
		"    listen [::]:80;\n", "",
		"listen 443 ssl http2;", fmt.Sprintf("listen 127.0.0.1:%d ssl http2;", ports[1]),
		"    listen [::]:443 ssl http2;\n", "",
		"/etc/ssl/live.example.com/fullchain.pem", pem,
		"/etc/ssl/live.example.com/privkey.pem", pem,
		"/var/cache/nginx/", dir + "/",
	}, changes...)...))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "whipsaw.conf"), text, 0o600))
	main := fmt.Sprintf(`
daemon off;
worker_processes 2;
worker_rlimit_nofile 16384;
pid %[1]s/pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	include %[1]s/whipsaw.conf;
}
`, dir)
	if os.Geteuid() == 0 {
		main = "user root;" + main // whom the folder belongs to
	}
	conf := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(conf, []byte(main), 0o600))
	args := []string{"-p", dir, "-e", "stderr", "-c", conf}
	out, err := exec.Command(program, append(args, "-t")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "[warn]")
	background(t, exec.Command(program, args...))
	t.Cleanup(func() { // its workers would outlive a kill
		out, err := exec.Command(program, append(args, "-s", "stop")...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		eventually(t, "nginx ends", func() bool {
			_, err := os.Stat(filepath.Join(dir, "pid"))
			return os.IsNotExist(err)
		})
	})
	base := fmt.Sprintf("https://127.0.0.1:%d", ports[1])
	eventually(t, "nginx answers", func() bool {
		r, err := insecure.Get(base + "/healthz")
		if err != nil {
			return false
		}
		readAll(t, r)
		return r.StatusCode == http.StatusOK
	})
	return base
}

// insecure trusts everybody, as a test on one machine may.
var insecure = &http.Client{Timeout: patience, Transport: &http.Transport{
	DisableCompression: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
}}

// replaced puts new for old, in pairs, and wants each old to be there.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// ask sends a request through a cache; headers come in pairs.
func ask(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := insecure.Do(r)
	require.NoError(t, err)
	return answer, string(readAll(t, answer))
}

// However many watch through nginx with the configuration that we ship, each thing is asked of the server once; what came
// too early leaves nothing behind.
func TestNginxFoldsViewers(t *testing.T) {
	if testing.Short() {
		t.Skip("a crowd needs the machine for itself")
	}
	realTime(t, 200)
	s := serve(t, "--demo")
	s.multivariant("demo")
	origin := newCounted(t, s)
	begun := time.Now()
	base := startNginx(t, origin.URL)
	early := tooEarly(t, s, base)
	later := make(chan map[string]bool, 1)
	go func() { later <- stillMissing(base, early) }()

	const viewers = 200
	c := gather(t, base+"/hls/demo/index.m3u8", viewers, *cacheFor+time.Second)
	c.report(t, viewers, origin)
	require.Empty(t, c.faults)
	origin.once(t, early)
	// What may be kept for a second is asked for once a second.
	for u, n := range origin.of(`index\.m3u8$|media\.m3u8$`) {
		require.LessOrEqual(t, n, int(time.Since(begun).Seconds())+2, u)
	}
	require.Empty(t, <-later, "what was asked for too early is there later")
	sameThroughCache(t, s, origin, base)
}

// signed is the path of /hls with a link's prefix.
func signed(key, stream string, expires int64) string {
	m := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(m, "watch:%d:%s", expires, stream)
	return fmt.Sprintf("/hls/~%d~%s/", expires, base64.RawURLEncoding.EncodeToString(m.Sum(nil)))
}

// With --watch-key nginx asks the server who may watch, also for what it has in its store, and does not ask twice; what
// it has is the same for all links.
func TestNginxAsksWhoMayWatch(t *testing.T) {
	realTime(t, loadStream)
	const key = "0123456789abcdef0123456789abcdef"
	s := serve(t, "--demo", "--watch-key", key, "--publish-token", "t0ken")
	origin := newCounted(t, s)
	base := startNginx(t, origin.URL, "#auth_request", "auth_request")
	now := time.Now().Unix()
	one, two := signed(key, "demo", now+3600), signed(key, "demo", now+7200)
	var index string
	eventually(t, "the demo is there", func() bool {
		r, body := ask(t, "GET", base+one+"demo/index.m3u8")
		index = body
		return r.StatusCode == http.StatusOK
	})
	playlist := firstURI(t, base+one+"demo/index.m3u8", []byte(index))
	var body string
	eventually(t, "a part is announced", func() bool {
		var r *http.Response
		r, body = ask(t, "GET", playlist)
		require.Equal(t, http.StatusOK, r.StatusCode)
		return strings.Contains(body, "#EXT-X-PRELOAD-HINT")
	})
	part := playlist[:strings.LastIndex(playlist, "/")+1] + hint.FindStringSubmatch(body)[1]
	for range 3 {
		r, _ := ask(t, "GET", part)
		require.Equal(t, http.StatusOK, r.StatusCode)
		r, _ = ask(t, "GET", strings.Replace(part, one, two, 1))
		require.Equal(t, http.StatusOK, r.StatusCode)
	}
	require.Equal(t, 1, sum(origin.of(`\.m4s$`)), "one object for all links")
	require.LessOrEqual(t, sum(origin.of("auth/watch")), 3, "a verdict is kept for each link")

	asked := sum(origin.of(`/hls/`))
	for what, prefix := range map[string]string{
		"none": "/hls/", "forged": signed("f"+key, "demo", now+3600), "of another stream": signed(key, "other", now+3600),
		"expired": signed(key, "demo", now-1), "another spelling": strings.Replace(one, "/hls/", "/hls//", 1),
		"escaped": strings.Replace(one, "~", "%7E", 1), "a way up": one + "demo/../",
	} {
		r, _ := ask(t, "GET", strings.Replace(part, one, prefix, 1))
		require.Equal(t, http.StatusForbidden, r.StatusCode, what)
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"), what)
		require.Equal(t, []string{"*"}, r.Header.Values("Access-Control-Allow-Origin"), what)
	}
	require.Equal(t, asked, sum(origin.of(`/hls/`)), "nothing of that reached the server")
	r, _ := ask(t, "GET", base+"/auth/watch", "X-Original-URI", "/hls/demo/index.m3u8")
	require.Equal(t, http.StatusNotFound, r.StatusCode, "nobody else is told")
	r, _ = ask(t, "OPTIONS", base+"/hls/demo/index.m3u8", "Origin", "https://page.example", "Access-Control-Request-Method", "GET")
	require.Equal(t, http.StatusNoContent, r.StatusCode, "preflights carry no rights")
}
