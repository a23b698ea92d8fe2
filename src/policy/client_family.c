/* SPDX-License-Identifier: ISC */
#include "policy/client_family.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

enum family {
	THUNDERBIRD,
	OUTLOOK,
	IPHONE,
	APPLE_MAIL,
	APPLE,
	ANDROID,
	GMAIL,
	K9,
	FAIREMAIL,
	SAMSUNG,
	AQUA,
	SPARK,
	EM_CLIENT,
	THE_BAT,
	EVOLUTION,
	KMAIL,
	GEARY,
	CLAWS,
	MUTT,
	WEBMAIL,
	FETCHER,
	SCRIPT,
	PRINTER,
	WINDOWS,
	MAC,
	EDGE,
	FIREFOX,
	CHROME,
	SAFARI,
	BROWSER,
	UNKNOWN
};

static const struct client_family families[] = {
	[THUNDERBIRD] = { "thunderbird", "Thunderbird" },
	[OUTLOOK] = { "outlook", "Outlook" },
	[IPHONE] = { "iphone", "iPhone or iPad" },
	[APPLE_MAIL] = { "apple_mail", "Apple Mail" },
	[APPLE] = { "apple", "Apple Mail, an iPhone or iPad" },
	[ANDROID] = { "android", "an Android phone or tablet" },
	[GMAIL] = { "gmail", "Gmail" },
	[K9] = { "k9", "K-9 Mail" },
	[FAIREMAIL] = { "fairemail", "FairEmail" },
	[SAMSUNG] = { "samsung", "Samsung Email" },
	[AQUA] = { "aqua", "Aqua Mail" },
	[SPARK] = { "spark", "Spark" },
	[EM_CLIENT] = { "em_client", "eM Client" },
	[THE_BAT] = { "the_bat", "The Bat!" },
	[EVOLUTION] = { "evolution", "Evolution" },
	[KMAIL] = { "kmail", "KMail" },
	[GEARY] = { "geary", "Geary" },
	[CLAWS] = { "claws", "Claws Mail" },
	[MUTT] = { "mutt", "Mutt" },
	[WEBMAIL] = { "webmail", "a webmail page" },
	[FETCHER] = { "fetcher", "a program that collects or copies mail" },
	[SCRIPT] = { "script", "a script" },
	[PRINTER] = { "printer", "a printer, copier or scanner" },
	[WINDOWS] = { "windows", "a program on a Windows computer" },
	[MAC] = { "mac", "a program on a Mac" },
	[EDGE] = { "edge", "Edge" },
	[FIREFOX] = { "firefox", "Firefox" },
	[CHROME] = { "chrome", "Chrome" },
	[SAFARI] = { "safari", "Safari" },
	[BROWSER] = { "browser", "a browser" },
	[UNKNOWN] = { "unknown", "a mail program" },
};

/* How much of the name must fit. ASCII case does not matter. */
enum match {
	PART,  /* it is in there somewhere */
	START, /* the name begins with it */
	WHOLE,
	HOST, /* the name begins with it and at least HOST_HEX hexadecimal digits follow: a host
		 name that devices make of their hardware address */
};

enum {
	HOST_HEX = 6
};

enum {
	SMTP = 1 << PROTOCOL_SMTP,
	IMAP = 1 << PROTOCOL_IMAP,
	HTTP = 1 << PROTOCOL_HTTP,
	MAIL = SMTP | IMAP | 1 << PROTOCOL_POP3,
	ANY = MAIL | HTTP
};

/* The first that fits wins: "com.apple.mail" must not be found before what stands in front of it.
 */
static const struct {
	unsigned protocols;
	enum match match;
	const char *text;
	enum family family;
} patterns[] = {
	/* What IMAP ID says (RFC 2971), and a few programs in EHLO. */
	{ MAIL, PART, "thunderbird", THUNDERBIRD },
	{ MAIL, PART, "betterbird", THUNDERBIRD },
	{ MAIL, PART, "icedove", THUNDERBIRD },
	{ MAIL, PART, "outlook", OUTLOOK },
	{ MAIL, PART, "iphone", IPHONE },
	{ MAIL, PART, "ipad", IPHONE },
	{ IMAP, PART, "mac os x mail", APPLE_MAIL },
	{ IMAP, PART, "macos mail", APPLE_MAIL },
	{ IMAP, PART, "com.apple.", APPLE },
	{ MAIL, START, "smtpclient.apple", APPLE },
	{ MAIL, PART, "com.google.android.gm", GMAIL },
	{ MAIL, PART, "gmail", GMAIL },
	{ SMTP, PART, ".google.com", GMAIL },
	{ MAIL, PART, "k-9", K9 },
	{ MAIL, PART, "k9mail", K9 },
	{ MAIL, PART, "fairemail", FAIREMAIL },
	{ MAIL, PART, "samsung", SAMSUNG },
	{ MAIL, PART, "aqua", AQUA },
	{ MAIL, PART, "readdle", SPARK },
	{ IMAP, START, "spark", SPARK },
	{ MAIL, PART, "em client", EM_CLIENT },
	{ MAIL, PART, "the bat", THE_BAT },
	{ MAIL, PART, "evolution", EVOLUTION },
	{ MAIL, PART, "kmail", KMAIL },
	{ MAIL, PART, "kontact", KMAIL },
	{ MAIL, PART, "akonadi", KMAIL },
	{ MAIL, PART, "geary", GEARY },
	{ MAIL, PART, "claws", CLAWS },
	{ IMAP, PART, "mutt", MUTT },
	{ MAIL, PART, "roundcube", WEBMAIL },
	{ MAIL, PART, "snappymail", WEBMAIL },
	{ MAIL, PART, "rainloop", WEBMAIL },
	{ MAIL, PART, "squirrelmail", WEBMAIL },
	{ MAIL, PART, "horde", WEBMAIL },
	{ MAIL, PART, "sogo", WEBMAIL },
	{ IMAP, PART, "imapsync", FETCHER },
	{ IMAP, PART, "offlineimap", FETCHER },
	{ IMAP, PART, "mbsync", FETCHER },
	{ IMAP, PART, "isync", FETCHER },
	{ MAIL, PART, "fetchmail", FETCHER },
	{ MAIL, PART, "getmail", FETCHER },
	{ IMAP, PART, "android", ANDROID },
	{ SMTP, START, "android-", ANDROID },
	/* Host names that printers give themselves. */
	{ SMTP, HOST, "brn", PRINTER },   /* Brother */
	{ SMTP, HOST, "brw", PRINTER },   /* Brother, by radio */
	{ SMTP, HOST, "npi", PRINTER },   /* HP */
	{ SMTP, HOST, "hp", PRINTER },    /* HP */
	{ SMTP, HOST, "rnp", PRINTER },   /* Ricoh */
	{ SMTP, HOST, "km", PRINTER },    /* Kyocera, Konica Minolta */
	{ SMTP, HOST, "epson", PRINTER }, /* Epson */
	{ SMTP, HOST, "canon", PRINTER }, /* Canon */
	{ SMTP, HOST, "xrx", PRINTER },   /* Xerox */
	{ SMTP, HOST, "et", PRINTER },    /* Lexmark */
	{ SMTP, HOST, "sec", PRINTER },   /* Samsung */
	{ SMTP, PART, "printer", PRINTER },
	{ SMTP, PART, "scanner", PRINTER },
	{ SMTP, PART, "copier", PRINTER },
	{ SMTP, PART, "kyocera", PRINTER },
	{ SMTP, PART, "ricoh", PRINTER },
	{ SMTP, PART, "xerox", PRINTER },
	{ SMTP, PART, "lexmark", PRINTER },
	{ SMTP, PART, "bizhub", PRINTER },
	{ SMTP, PART, "laserjet", PRINTER },
	/* Host names that Windows and macOS make up. Outlook says no more than that. */
	{ SMTP, START, "desktop-", WINDOWS },
	{ SMTP, START, "laptop-", WINDOWS },
	{ SMTP, START, "win-", WINDOWS },
	{ SMTP, PART, "macbook", MAC },
	{ SMTP, PART, "imac", MAC },
	{ SMTP, PART, "mac-mini", MAC },
	{ SMTP, WHOLE, "localhost", SCRIPT },
	{ SMTP, WHOLE, "localhost.localdomain", SCRIPT },
	{ ANY, START, "curl/", SCRIPT },
	{ ANY, START, "wget/", SCRIPT },
	{ ANY, PART, "python", SCRIPT },
	{ ANY, PART, "perl", SCRIPT },
	{ ANY, PART, "php", SCRIPT },
	/* A User-Agent names those it descends from: the youngest first. */
	{ HTTP, PART, "edg/", EDGE },
	{ HTTP, PART, "edga/", EDGE },
	{ HTTP, PART, "edgios/", EDGE },
	{ HTTP, PART, "firefox/", FIREFOX },
	{ HTTP, PART, "fxios/", FIREFOX },
	{ HTTP, PART, "chrome/", CHROME },
	{ HTTP, PART, "crios/", CHROME },
	{ HTTP, PART, "safari/", SAFARI },
};

static bool has_part(struct slice name, const char *part)
{
	size_t len = strlen(part);

	for (size_t i = 0; i + len <= name.len; i++) {
		if (slice_starts_nocase(slice_from(name, i), part))
			return true;
	}
	return false;
}

static bool is_hex(char byte)
{
	char lower = text_lower(byte);

	return text_is_digit(byte) || (lower >= 'a' && lower <= 'f');
}

static bool is_hardware_host(struct slice name, const char *start)
{
	size_t digits = 0;

	if (!slice_starts_nocase(name, start))
		return false;
	name = slice_from(name, strlen(start));
	while (digits < name.len && is_hex(name.data[digits]))
		digits++;
	return digits >= HOST_HEX && (digits == name.len || name.data[digits] == '.');
}

static bool fits(struct slice name, enum match match, const char *text)
{
	switch (match) {
	case PART:
		return has_part(name, text);
	case START:
		return slice_starts_nocase(name, text);
	case WHOLE:
		return slice_is_nocase(name, text);
	case HOST:
		break;
	}
	return is_hardware_host(name, text);
}

const struct client_family *client_family(enum protocol protocol, struct slice name)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(patterns); i++) {
		if ((patterns[i].protocols & (1U << protocol)) != 0 &&
			fits(name, patterns[i].match, patterns[i].text))
			return &families[patterns[i].family];
	}
	return &families[protocol == PROTOCOL_HTTP ? BROWSER : UNKNOWN];
}

bool client_family_is_unknown(const struct client_family *family)
{
	return family == &families[UNKNOWN];
}
