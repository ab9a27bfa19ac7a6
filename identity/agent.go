package identity

import "github.com/mileusna/useragent"

// DescribeAgent says which browser and operating system a User-Agent header names: "Firefox on Linux". It is what
// the caller says of itself, for people to recognize and for nothing else.
func DescribeAgent(userAgent string) string {
	ua := useragent.Parse(userAgent)
	browser, system := ua.Name, ua.OS
	if browser == userAgent { // the parser's way of knowing none
		browser = ""
	}
	switch {
	case len(browser) > 40 || len(system) > 40:
		return "an unknown program"
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	case system != "":
		return "a browser on " + system
	}
	return "an unknown program"
}
