# Installs Shapan for this user on a Windows machine without network. It needs Python 3.11 and nothing else.
#   powershell -ExecutionPolicy Bypass -File install.ps1 [-Prefix FOLDER] [-Autostart] [-Options "OPTIONS OF shapan serve"]
# Run it again with a newer bundle to update: stores, keys and backups lie elsewhere (SHAPAN_HOME) and stay.
param(
    [string]$Prefix = (Join-Path $env:LOCALAPPDATA "Programs\Shapan"),
    [switch]$Autostart,
    [string]$Options = ""
)
$ErrorActionPreference = "Stop"
$here = Split-Path -Parent $MyInvocation.MyCommand.Path

function Stop-With([string]$sentence) {
    [Console]::Error.WriteLine($sentence)
    exit 1
}

$python = $null
foreach ($candidate in @(@("py", "-3.11"), @("python3.11"), @("python"))) {
    if (-not (Get-Command $candidate[0] -ErrorAction SilentlyContinue)) { continue }
    $rest = @($candidate | Select-Object -Skip 1)
    & $candidate[0] @rest -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" 2>$null
    if ($LASTEXITCODE -eq 0) { $python = $candidate; break }
}
if ($null -eq $python) {
    Stop-With "Shapan needs Python 3.11 (64 bit), which this bundle does not bring: install it first, then run this again."
}
$wheels = Join-Path $here "wheels\windows"
if (-not (Test-Path $wheels)) { Stop-With "There is no folder wheels\windows beside this script: unpack the whole bundle." }
foreach ($line in Get-Content (Join-Path $here "SHA256SUMS")) {
    $sum, $name = $line -split "  ", 2
    if ((Get-FileHash -Algorithm SHA256 (Join-Path $here $name)).Hash -ne $sum) {
        Stop-With "The bundle is damaged or was changed: $name. Copy it again."
    }
}

$rest = @($python | Select-Object -Skip 1)
& $python[0] @rest -m venv $Prefix
if ($LASTEXITCODE -ne 0) { Stop-With "The environment in $Prefix could not be made." }
& (Join-Path $Prefix "Scripts\python.exe") -m pip --disable-pip-version-check install --quiet --no-index `
    --find-links $wheels --require-hashes --requirement (Join-Path $here "requirements-windows.txt")
if ($LASTEXITCODE -ne 0) { Stop-With "The packages could not be installed; the lines above say why." }
$shapan = Join-Path $Prefix "Scripts\shapan.exe"
Write-Output "Installed: $shapan"

if ($Autostart) {
    # At sign-in of this user, without a time limit, started again when it fails.
    $action = New-ScheduledTaskAction -Execute $shapan -Argument "serve $Options".Trim()
    $trigger = New-ScheduledTaskTrigger -AtLogOn -User "$env:USERDOMAIN\$env:USERNAME"
    $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) -RestartCount 3 `
        -RestartInterval (New-TimeSpan -Minutes 1) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
    Register-ScheduledTask -TaskName "Shapan" -Action $action -Trigger $trigger -Settings $settings -Force | Out-Null
    Start-ScheduledTask -TaskName "Shapan"
    Write-Output "Starts by itself when $env:USERNAME signs in: scheduled task 'Shapan'."
}
Write-Output "Next: shapan demo, then shapan serve; or docs\admin.md for a real place."
