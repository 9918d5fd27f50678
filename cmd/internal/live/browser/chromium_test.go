package browser

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// limit is how long anything may take here before it counts as hung.
const limit = 60 * time.Second

// chromium is a browser with one page, as WebDriver (W3C) tells it what to do.
type chromium struct {
	t       testing.TB
	session string // its address
}

// openChromium starts a browser that ends with the test.
func openChromium(t testing.TB) *chromium {
	t.Helper()
	driver := exec.Command("chromedriver", "--port=0")
	output, err := driver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := driver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = driver.Process.Kill()
		_ = driver.Wait() // it was killed
	})
	port := ""
	for lines := bufio.NewScanner(output); port == "" && lines.Scan(); {
		if _, after, found := strings.Cut(lines.Text(), "started successfully on port "); found {
			port = strings.TrimSuffix(after, ".")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, output) }() // so that it never waits for us
	c := &chromium{t: t, session: "http://127.0.0.1:" + port}
	profile, err := os.MkdirTemp("", "weatheractors-browser-") //nolint:usetesting // it may not be empty at the end
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	var made struct{ SessionID string }
	c.do("POST", "/session", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName":        "chrome",
		"goog:loggingPrefs":  map[string]string{"browser": "ALL"},
		"goog:chromeOptions": map[string]any{"args": append(flags, "--user-data-dir="+profile)},
	}}}, &made)
	c.session += "/session/" + made.SessionID
	t.Cleanup(func() { c.do("DELETE", "", nil, nil) })
	return c
}

var flags = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
}

var client = http.Client{Timeout: 2 * limit}

// do sends a command, and reads its value into result unless that is nil.
func (c *chromium) do(method, path string, body, result any) {
	c.t.Helper()
	if body == nil {
		body = struct{}{}
	}
	sent, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	if method != "POST" {
		sent = nil
	}
	request, err := http.NewRequest(method, c.session+path, bytes.NewReader(sent))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	answer := struct{ Value json.RawMessage }{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %s: %s: %s (%v)", method, path, response.Status, answer.Value, err)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer.Value, result); err != nil {
		c.t.Fatalf("%s %s: %s: %v", method, path, answer.Value, err)
	}
}

func (c *chromium) open(url string) {
	c.t.Helper()
	c.do("POST", "/url", map[string]string{"url": url}, nil)
}

// run runs JavaScript in the page, the body of an asynchronous function, and reads
// what it returns into result unless that is nil.
func (c *chromium) run(result any, script string) {
	c.t.Helper()
	c.do("POST", "/execute/sync", map[string]any{"script": "return (async () => {" + script + "})()", "args": []any{}}, result)
}

// awaits waits until an expression is true in the page.
func (c *chromium) awaits(what, expression string) {
	c.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for began := time.Now(); time.Since(began) < limit; <-look.C {
		var is bool
		if c.run(&is, "return Boolean("+expression+")"); is {
			return
		}
	}
	var text string
	c.run(&text, "return document.body.innerText")
	c.t.Fatalf("waited %v in vain: %s: %s; the page says:\n%s", limit, what, expression, text)
}

// Keys as WebDriver writes them.
const (
	tab, space, enter, right = "\uE004", " ", "\uE007", "\uE014"
)

func (c *chromium) press(key string) {
	c.t.Helper()
	type action map[string]string
	c.do("POST", "/actions", map[string]any{"actions": []any{map[string]any{"type": "key", "id": "keyboard", "actions": []action{
		{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
	}}}}, nil)
}

// tabsTo presses Tab until what has the focus matches a selector.
func (c *chromium) tabsTo(selector string) {
	c.t.Helper()
	for range 60 {
		c.press(tab)
		var there bool
		if c.run(&there, fmt.Sprintf("return document.activeElement.matches(%q)", selector)); there {
			return
		}
	}
	c.t.Fatalf("Tab does not lead to %s", selector)
}

// looks makes the window as wide as that, in a color scheme.
func (c *chromium) looks(width, height int, scheme string) {
	c.t.Helper()
	c.devtools("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
	c.devtools("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-color-scheme", "value": scheme}}})
}

func (c *chromium) devtools(command string, parameters map[string]any) {
	c.t.Helper()
	c.do("POST", "/goog/cdp/execute", map[string]any{"cmd": command, "params": parameters}, nil)
}

// photograph writes a picture of the window, if somebody wants one.
func (c *chromium) photograph(name string) {
	c.t.Helper()
	folder := os.Getenv("WEATHERACTORS_TEST_SCREENSHOTS")
	if folder == "" {
		return
	}
	var encoded string
	c.do("GET", "/screenshot", nil, &encoded)
	picture, err := base64.StdEncoding.DecodeString(encoded)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), picture, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// complaints are the errors and warnings in the browser's console since the last
// call, each once.
func (c *chromium) complaints() (errors []string) {
	c.t.Helper()
	var entries []struct{ Level, Message string }
	c.do("POST", "/se/log", map[string]string{"type": "browser"}, &entries)
	for _, e := range entries {
		if (e.Level == "SEVERE" || e.Level == "WARNING") && !slices.Contains(errors, e.Message) {
			errors = append(errors, e.Message)
		}
	}
	return errors
}
