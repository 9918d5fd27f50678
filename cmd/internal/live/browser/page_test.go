package browser

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tools skips the test unless there is what it needs, and returns axe-core's
// script. Where CI=true all of it must be there.
func tools(t *testing.T) (axe string) {
	t.Helper()
	path := os.Getenv("WEATHERACTORS_TEST_AXE")
	if path == "" {
		t.Skip("WEATHERACTORS_TEST_AXE does not name axe-core's axe.min.js")
	}
	script, err := os.ReadFile(path)
	for _, command := range []string{"chromium", "chromedriver"} {
		if err == nil {
			_, err = exec.LookPath(command)
		}
	}
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	return string(script)
}

// program is weatheractors, running until the test ends.
type program struct {
	t     testing.TB
	cmd   *exec.Cmd
	ended chan struct{}
	url   string // of its page
}

// build compiles the program.
func build(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "weatheractors")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/weatheractors/weatheractors/cmd/weatheractors").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return path
}

// launch runs the program until it says where its page is.
func launch(t testing.TB, path string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stderr = os.Stderr
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for p.url == "" && lines.Scan() {
		if at := strings.Index(lines.Text(), "http://"); at >= 0 {
			p.url = strings.Fields(lines.Text()[at:])[0]
		}
	}
	go func() {
		defer close(p.ended)
		_, _ = io.Copy(io.Discard, output)
		_ = p.cmd.Wait() // ProcessState has it
	}()
	t.Cleanup(func() { p.end(os.Kill) })
	if p.url == "" {
		t.Fatalf("%v does not say where its page is", args)
	}
	return p
}

// end sends a signal, and waits until the program has ended.
func (p *program) end(signal os.Signal) {
	_ = p.cmd.Process.Signal(signal) // it may have ended
	<-p.ended
}

// host is where the page is, for --http.
func (p *program) host() string {
	u, err := url.Parse(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	return u.Host
}

// TestPage follows a demo in which actors fail, then looks at the files that it
// left, with a browser that was never told to load the page again.
func TestPage(t *testing.T) {
	axe := tools(t)
	path, dir := build(t), filepath.Join(t.TempDir(), "demo")
	demo := launch(t, path, "demo", "--faults", "--http", "127.0.0.1:0", "--dir", dir)
	c := openChromium(t)
	c.looks(1280, 1000, "light")
	c.open(demo.url)
	c.awaits("the page is live", `document.getElementById("connection").textContent === "live"`)
	c.awaits("it shows all partitions", `document.querySelectorAll("#partitions tbody tr").length === 4`)

	t.Run("numbers are those of the API", func(t *testing.T) { numbersOfAPI(t, c) })
	t.Run("pictures can be chosen by keyboard", func(t *testing.T) { keyboard(t, c) })
	watchActors(c)
	t.Run("nobody is kept out", func(t *testing.T) { accessible(t, c, axe) })
	t.Run("a failed actor is seen to recover", func(t *testing.T) { failureIsSeen(t, c) })
	t.Run("pictures of the page", func(t *testing.T) { photographs(t, c) })
	t.Run("the console has no complaints", func(t *testing.T) {
		for _, complaint := range c.complaints() {
			t.Error(complaint)
		}
	})

	// The demo ends well; what serves its files later is another program, which is
	// then killed and started again.
	demo.end(syscall.SIGINT)
	t.Run("it notices that the server has gone", func(t *testing.T) { isAway(t, c) })
	var files *program
	const first, last = "a server of the files takes over", "and is killed and started again"
	for _, what := range []string{first, last} {
		files = launch(t, path, "serve", "--dir", dir, "--http", demo.host())
		t.Run(what, func(t *testing.T) { showsFiles(t, c, dir) })
		if what == last {
			t.Run("it says which file can't be read", func(t *testing.T) { showsCorruption(t, c, dir) })
		}
		files.end(os.Kill)
		t.Run("it notices that this has gone", func(t *testing.T) { isAway(t, c) })
	}
	for _, complaint := range c.complaints() {
		if !strings.Contains(complaint, "net::ERR_") && !strings.Contains(complaint, "/api/events") {
			t.Error(complaint)
		}
	}
}

// onPage is a function in JavaScript that returns what the table has: numbers as
// numbers, by partition and name.
const onPage = `
const onPage = () => [...document.querySelectorAll("#partitions tbody tr")].map((tr) => {
  const of = (name) => tr.querySelector('[data-field="' + name + '"]').textContent;
  const number = (name) => Number(of(name).replaceAll(",", ""));
  return {partition: number("partition"), state: of("state"), last_date: of("last_date"), offset: number("offset"),
    lag: number("lag"), duplicates: number("duplicates"), rejects: number("rejects")};
});`

// numbersOfAPI asks the API until it is asked between two updates of the page.
func numbersOfAPI(t *testing.T, c *chromium) {
	c.t = t
	c.awaits("the page and the API say the same", `await (async () => {`+onPage+`
		const told = await (await fetch("/api/partitions")).json();
		const words = {catching_up: "catching up", respawning: "restarting", drained: "done"};
		const want = told.partitions.map((p) => ({partition: p.partition, state: words[p.state] ?? p.state, last_date: p.last_date ?? "–",
			offset: p.offset, lag: p.lag, duplicates: p.duplicates, rejects: p.rejects}));
		const figure = (card, name) => Number(document.querySelector("#" + card + ' [data-field="' + name + '"]').textContent.replaceAll(",", ""));
		const sum = (name) => told.partitions.reduce((total, p) => total + p[name], 0);
		return told.producer && sum("duplicates") > 0 && JSON.stringify(want) === JSON.stringify(onPage())
			&& figure("counted", "counted") === sum("counted") && figure("counted", "duplicates") === sum("duplicates")
			&& figure("producer", "acknowledged") === told.producer.acknowledged && figure("producer", "repeats") === told.producer.repeats;
	})()`)
}

// watchActors has the page note every state that it shows of every actor.
func watchActors(c *chromium) {
	c.run(nil, `
		const seen = window.seen = {};
		const note = () => document.querySelectorAll(".actor").forEach((actor) => {
			const name = actor.closest(".group").dataset.partition + " " + actor.dataset.actor;
			const state = [actor.querySelector('[data-field="state"]').textContent, actor.querySelector('[data-field="restarts"]').textContent].join("");
			const states = seen[name] ??= [];
			if (states.at(-1) !== state) states.push(state);
		});
		note();
		new MutationObserver(note).observe(document.getElementById("groups"), {subtree: true, childList: true, characterData: true, attributes: true});`)
}

// failureIsSeen waits until one of each kind has failed, has come back and works
// on.
func failureIsSeen(t *testing.T, c *chromium) {
	c.t = t
	for _, actor := range []string{"reader", "aggregator", "checkpoint-writer"} {
		c.awaits("a failed "+actor+" works on", `Object.entries(window.seen).some(([name, states]) => name.endsWith(" `+actor+`") && (() => {
			const failed = states.findIndex((state) => /^failed, [0-9]+ restarts?$/.test(state));
			return failed >= 0 && states.slice(failed).some((state) => /^running, [0-9]+ restarts?$/.test(state));
		})())`)
	}
	var last []string
	c.run(&last, `return [...document.querySelectorAll('[data-field="last"]')].map((last) => last.textContent).filter(Boolean)`)
	if len(last) == 0 {
		t.Error("the page does not say why an actor failed")
	}
}

func keyboard(t *testing.T, c *chromium) {
	c.t = t
	c.run(nil, `document.activeElement.blur()`)
	visible := func() {
		t.Helper()
		var shown bool
		c.run(&shown, `const at = document.activeElement, on = at.matches(".chips input") ? at.nextElementSibling : at;
			const style = getComputedStyle(on); return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2`)
		if !shown {
			t.Error("one does not see where the focus is")
		}
	}
	c.tabsTo(`#months-choice input[value="April"]`)
	visible()
	c.press(space)
	c.awaits("the picture has April", `document.getElementById("months-picture").alt.includes("April-")`)
	c.tabsTo("#earlier")
	visible()
	c.press(enter)
	c.awaits("a year is chosen", `/^[0-9]{4}$/.test(document.getElementById("year").value) && document.getElementById("months-picture").src.includes("year=")`)
	c.tabsTo("#latest")
	c.press(enter)
	c.awaits("the latest is chosen again", `document.getElementById("year").value === "" && !document.getElementById("months-picture").src.includes("year=")`)
	c.tabsTo("#trend-choice input")
	visible()
	c.press(right)
	c.awaits("the trend is February's", `document.getElementById("trend-picture").alt.includes("February")`)
	c.run(nil, `location.reload()`)
	c.awaits("what was chosen outlives a reload", `document.querySelector('#trend-choice input[value="February"]')?.checked
		&& document.querySelector('#months-choice input[value="April"]').checked && document.querySelector("#partitions tbody tr")
		&& document.getElementById("trend-picture").alt.includes("February")`)
}

var views = []struct {
	name          string
	width, height int
	scheme        string
}{
	{"light", 1280, 1600, "light"},
	{"dark", 1280, 1600, "dark"},
	{"phone", 320, 3000, "light"},
	{"phone-dark", 320, 3000, "dark"},
}

func accessible(t *testing.T, c *chromium, axe string) {
	c.t = t
	c.do("POST", "/execute/sync", map[string]any{"script": axe + "; window.axe = axe", "args": []any{}}, nil)
	for _, v := range views {
		c.looks(v.width, v.height, v.scheme)
		var violations []struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
		c.run(&violations, `return (await axe.run(document, {resultTypes: ["violations"]})).violations`)
		for _, violation := range violations {
			t.Errorf("%s: %s: %s: %+v", v.name, violation.ID, violation.Help, violation.Nodes)
		}
		var wide int
		if c.run(&wide, "return document.documentElement.scrollWidth"); wide > v.width {
			t.Errorf("%s: the page is %d pixels wide, want at most %d", v.name, wide, v.width)
		}
	}
}

func photographs(t *testing.T, c *chromium) {
	c.t = t
	for _, v := range views {
		c.looks(v.width, v.height, v.scheme)
		if os.Getenv("WEATHERACTORS_TEST_SCREENSHOTS") != "" {
			c.awaits("an actor to fail in the picture", `document.querySelector('.actor[data-state="failed"]')`)
		}
		c.photograph("page-" + v.name + ".png")
	}
	c.looks(1280, 1000, "light")
}

func isAway(t *testing.T, c *chromium) {
	c.t = t
	c.awaits("it is reconnecting", `document.getElementById("connection").textContent === "reconnecting"`)
}

// showsFiles compares the page with the partition files, which nobody changes.
func showsFiles(t *testing.T, c *chromium, dir string) {
	c.t = t
	c.awaits("it is live again", `document.getElementById("connection").textContent === "live"`)
	var want []string
	total := 0
	for partition := range 4 {
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("partition-%d.json", partition)))
		if err != nil {
			t.Fatal(err)
		}
		var file map[string]json.RawMessage
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		last := ""
		for name, value := range file {
			if name == "partition" || name == "offset" {
				continue
			}
			var years map[string]struct {
				Count int
				End   string
			}
			if err := json.Unmarshal(value, &years); err != nil {
				t.Fatal(err)
			}
			for _, year := range years {
				last, total = max(last, year.End), total+year.Count
			}
		}
		want = append(want, fmt.Sprintf("%d file %s %s", partition, last, file["offset"]))
	}
	expected, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	c.awaits("it shows the files", `(() => {`+onPage+`
		const rows = onPage().map((row) => [row.partition, row.state, row.last_date, row.offset].join(" "));
		return JSON.stringify(rows) === JSON.stringify(`+string(expected)+`);
	})()`)
	c.awaits("it counts the days", fmt.Sprintf(`Number(document.querySelector('#counted [data-field="counted"]').textContent.replaceAll(",", "")) === %d`, total))
	c.awaits("it hides what files don't tell", `document.getElementById("producer").hidden && document.getElementById("actors").hidden
		&& [...document.querySelectorAll("[data-live]")].every((node) => node.checkVisibility() === false)`)
	c.awaits("it shows their pictures", `document.getElementById("months-picture").alt.includes("April-")`)
	c.photograph("page-files.png")
}

// showsCorruption spoils a file: the page says so by itself, and shows the others.
func showsCorruption(t *testing.T, c *chromium, dir string) {
	c.t = t
	if err := os.WriteFile(filepath.Join(dir, "partition-3.json"), []byte(`{"partition": 3, "offset": -1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c.awaits("it names the partition and the line", `/^Partition 3: .*partition-3.json.*line 1/.test(document.querySelector("#troubles li")?.textContent)`)
	c.awaits("it shows the others", `document.querySelectorAll("#partitions tbody tr").length === 4`)
}
