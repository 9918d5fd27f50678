// Package browser has tests only: they open the live page of the running program
// in headless Chromium, as its users do, and look at what is to be seen.
//
//	WEATHERACTORS_TEST_AXE=axe.min.js go test ./cmd/internal/live/browser
//
// The environment says what there is:
//
//   - WEATHERACTORS_TEST_AXE=path: axe-core's script, which finds what keeps people
//     from using a page. Without it the tests are skipped.
//   - WEATHERACTORS_TEST_SCREENSHOTS=path: a folder for pictures of the page.
//
// They need chromium and chromedriver in the path, and are skipped without; where
// CI=true they fail.
package browser
