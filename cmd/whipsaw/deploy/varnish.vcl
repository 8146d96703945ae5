vcl 4.1;

# Varnish in front of whipsaw: a cache that folds all viewers into one request for each thing, and wakes those who wait for
# the same the moment it is there. Varnish speaks no TLS: put nginx, hitch or a load balancer before it, with HTTP/2.
#
# Varnish 6.0 LTS or newer. Copy this to /etc/varnish/default.vcl and start
#
#     varnishd -a :6081 -f /etc/varnish/default.vcl -s malloc,1g -p thread_pool_max=5000
#     whipsaw --listen 127.0.0.1:8080 --webrtc-udp :8189 --trusted-proxy 127.0.0.1 --public-url https://live.example.com
#
# A minute of a 6 Mbit/s stream takes 100 MB with its segments. Media of publishers (UDP 8189) goes past Varnish.

import std;

backend whipsaw {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 5s;
    # A blocked request waits for three target durations, 90 s at the very most.
    .first_byte_timeout = 100s;
    .between_bytes_timeout = 15s;
}

# What stands right before Varnish and tells who the client is; nobody else may.
acl front {
    "localhost";
}

sub vcl_recv {
    if (req.restarts == 0 && (client.ip !~ front || !req.http.X-Forwarded-For)) {
        set req.http.X-Forwarded-For = client.ip;
    }
    unset req.http.Forwarded;
    if (req.method == "PRI") {
        return (synth(405));
    }
    # With --watch-key a cache may not answer before it has asked who may watch, which plain Varnish cannot (vmod_curl and
    # others can): let nginx do that before it, as nginx.conf does (auth_request), and pass the URL on without the signed
    # prefix.
    if (req.url ~ "^/auth/") {
        return (synth(404));
    }
    # Players, and what pages load. Whatever else there is, WHIP above all, goes through as it is.
    if ((req.method == "GET" || req.method == "HEAD") && req.url ~ "^/(hls|static)/") {
        # No cookie of anything else on this host makes an object somebody's own.
        unset req.http.Cookie;
        unset req.http.Authorization;
        return (hash);
    }
    return (pass);
}

# The name of an object is its URL with the query, and nothing else: whipsaw says the same under every Host. Compressed or
# not is Varnish's own business.
sub vcl_hash {
    hash_data(req.url);
    # With --cors-origin answers differ by origin: hash_data(req.http.Origin);
    return (lookup);
}

sub vcl_backend_response {
    # How long things are kept is what whipsaw says. An old playlist never stands in for a new one.
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    # Errors that came too early are not kept, nor is it remembered that they were: the next request asks again, and those
    # who wait for the thing itself are folded into one as ever.
    if (beresp.http.Cache-Control ~ "no-store|no-cache") {
        set beresp.ttl = 0s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    # A part is published whole: who waits for it gets it while it comes in.
    set beresp.do_stream = true;
    # With --cors-origin: leave this line out, and hash the origin.
    set beresp.http.Vary = "Accept-Encoding";
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.Via;
    unset resp.http.X-Varnish;
}
