package handlers_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

const (
	benchClients = 64
	benchRound   = 32 * benchClients // deliveries of one server before the next one's turn
)

// BenchmarkIntake measures deliveries over HTTP at concurrency 64, each a new
// repository, against two others in turns within one run, since a machine is
// not equally fast all the time: a bare handler that reads the body and checks
// the signature, and the same intake without fsync. A ratio of 1 to the bare
// handler would mean that durability costs nothing.
func BenchmarkIntake(b *testing.B) {
	servers := []struct {
		name string
		addr string
		want int
		took time.Duration
		used time.Duration
	}{
		{name: "bare", addr: serve(b, http.HandlerFunc(bare)), want: http.StatusOK},
		{name: "durable", addr: serve(b, durable(b, false)), want: http.StatusAccepted},
		{name: "nosync", addr: serve(b, durable(b, true)), want: http.StatusAccepted},
	}
	made := 0
	b.ResetTimer()
	for done := 0; done < b.N; done += benchRound {
		n := min(benchRound, b.N-done)
		b.StopTimer()
		wire := make([][]byte, n)
		for i := range wire {
			made++
			wire[i] = wireDelivery(b, made)
		}
		b.StartTimer()
		for i := range servers {
			s := &servers[(i+done/benchRound)%len(servers)]
			begun, used := time.Now(), processor(b)
			fire(b, s.addr, wire, s.want)
			s.took += time.Since(begun)
			s.used += processor(b) - used
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // of three servers together: means nothing
	for _, s := range servers {
		b.ReportMetric(float64(b.N)/s.took.Seconds(), s.name+"/s")
		b.ReportMetric(float64(s.used.Nanoseconds())/1e3/float64(b.N), s.name+"-cpu-µs")
	}
	b.ReportMetric(servers[1].took.Seconds()/servers[0].took.Seconds(), "durable-to-bare")
	b.ReportMetric(servers[1].took.Seconds()/servers[2].took.Seconds(), "durable-to-nosync")
}

// processor is the time that the process has had of the processors, which says
// more than the clock where others want them too. It includes the client's.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bare is the least that a receiver of webhooks does.
func bare(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	mac := hmac.New(sha256.New, []byte(secretA))
	mac.Write(body)
	if !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(r.Header.Get("X-Gitea-Signature"))) {
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	io.WriteString(w, `{"ok":true}`)
}

func durable(b *testing.B, noSync bool) http.Handler {
	log := slog.New(slog.DiscardHandler)
	db, err := bolt.Open(filepath.Join(b.TempDir(), "hookd.db"), bolt.Options{Log: log, NoSync: noSync})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	secrets, err := providers.NewSecrets([]byte(secretA))
	if err != nil {
		b.Fatal(err)
	}
	sources := map[string]handlers.Source{"git": {Name: "git", Kind: "gitea", Hook: gitea.NewHook(secrets), Orgs: providers.NewOrgSet("*")}}
	return handlers.Public(handlers.Intake{
		Sources: func() map[string]handlers.Source { return sources }, Queue: db,
		Timing: syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second}, Now: time.Now, Log: log,
		Metrics: handlers.NewMetrics(prometheus.NewRegistry(), handlers.Build{}, handlers.Gauges{}),
	})
}

func serve(b *testing.B, h http.Handler) (addr string) {
	srv := httptest.NewUnstartedServer(h)
	srv.Config = handlers.NewServer("", h, slog.New(slog.DiscardHandler))
	srv.Start()
	b.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

var benchPayload = sync.OnceValues(func() (map[string]any, error) {
	raw, err := os.ReadFile("testdata/gitea-repository-created.json")
	if err != nil {
		return nil, err
	}
	var captured struct {
		Body string `json:"body_raw"`
	}
	if err := json.Unmarshal(raw, &captured); err != nil {
		return nil, err
	}
	var payload map[string]any
	return payload, json.Unmarshal([]byte(captured.Body), &payload)
})

// wireDelivery is the n-th delivery as it goes over the wire.
func wireDelivery(b *testing.B, n int) []byte {
	payload, err := benchPayload()
	if err != nil {
		b.Fatal(err)
	}
	repo := payload["repository"].(map[string]any)
	repo["id"], repo["full_name"] = n, fmt.Sprintf("acme/app-%d", n)
	body, err := json.Marshal(payload)
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "POST /hooks/git HTTP/1.1\r\nHost: hookd\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"X-Gitea-Event: repository\r\nX-Gitea-Delivery: %032d\r\nX-Gitea-Signature: %s\r\n\r\n", len(body), n, sign(secretA, string(body)))
	out.Write(body)
	return out.Bytes()
}

// fire sends all of wire over 64 connections. The client is as thin as can be:
// what it costs would count for both sides of a ratio.
func fire(b *testing.B, addr string, wire [][]byte, want int) {
	var wg sync.WaitGroup
	for c := range benchClients {
		wg.Go(func() {
			if c >= len(wire) {
				return
			}
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for i := c; i < len(wire); i += benchClients {
				if _, err := conn.Write(wire[i]); err != nil {
					b.Error(err)
					return
				}
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != want {
					b.Errorf("status %d, want %d", resp.StatusCode, want)
					return
				}
			}
		})
	}
	wg.Wait()
}
