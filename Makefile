# make demo         the main job, with real traffic and visible proof
# make test         lint, types and all tests
# make bench        what it costs, beside its peers: all parts in ten minutes, or only some PARTS; with EFFORT=--quick in
#                   three. make bench-page does the same and renews docs/performance.md
# make agreement    the model against the kernel, on SEEDS random topologies
# make ssh-config   ssh_config as we read it against the system's ssh, on ROUNDS random files
# make faults       every fault that can be injected, or only some ROWS of docs/faults.md, as a table: some minutes
# make soak         traffic through three hops while faults arrive at random, for MINUTES
# make fuzz         every parser against ROUNDS broken inputs: some minutes
#
# Each does its own set-up: a virtual environment in .venv and, when run by root where they are missing, the Debian
# packages that it needs. Without them the tests that need them say so by name.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(PATH):/usr/sbin:/sbin

# program:package; a lab is made of the first line, the second are those that the tests hold us
# against, the third those that checks are for, the fourth those that it is measured beside
LAB := sshd:openssh-server ssh:openssh-client nft:nftables ip:iproute2 unshare:util-linux curl:curl
PEERS := chromium:chromium dot:graphviz dropbear:dropbear-bin rsync:rsync git:git ansible:ansible-core zsh:zsh fish:fish nc:netcat-openbsd dig:bind9-dnsutils dnsmasq:dnsmasq-base iperf3:iperf3 chronyd:chrony snmpget:snmp snmpd:snmpd socat:socat
SERVERS := redis-server:redis-server pg_ctlcluster:postgresql /usr/lib/dovecot/imap-login:dovecot-imapd \
  /usr/lib/dovecot/pop3-login:dovecot-pop3d nginx:nginx-light dnsmasq:dnsmasq-base vsftpd:vsftpd smtpd:opensmtpd \
  Xtigervnc:tigervnc-standalone-server
BESIDE := autossh:autossh nc:netcat-openbsd socat:socat
TOOLS := $(LAB)

.PHONY: demo test setup packages lint types check fuzz agreement ssh-config faults soak bench bench-page clean

demo: setup
	@$(BIN)/orchestra demo topologies/vnc-firewall.yaml

test fuzz agreement ssh-config faults: TOOLS := $(LAB) $(PEERS) $(SERVERS)
bench bench-page: TOOLS := $(LAB) $(BESIDE)
test: setup lint types check

setup: packages $(VENV)/.installed

packages:
	@missing=""; for pair in $(TOOLS); do \
	  command -v "$${pair%%:*}" >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    echo "installing$$missing"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  else \
	    echo "missing:$$missing (the tests that need them will be skipped, by name)"; \
	  fi; \
	fi

$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

check:
	$(BIN)/pytest -n 2 --dist loadgroup

agreement: setup
	$(BIN)/pytest -n 2 tests/acceptance/test_agreement.py --topologies $(or $(SEEDS),1000)

fuzz: setup
	ORCHESTRA_FUZZ=$(or $(ROUNDS),50000) $(BIN)/pytest -n 2 -o timeout=3600 tests/fuzz

faults: setup
	$(BIN)/python -m tests.faults $(ROWS)

soak: setup
	$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),10)

ssh-config: setup
	$(BIN)/python -m tests.loading.sshconfig.against_ssh $(or $(ROUNDS),2000) $(or $(SEED),0)

bench bench-page: setup $(VENV)/.bench
bench:
	$(BIN)/python -m bench $(EFFORT) $(if $(RESULT),--json $(RESULT)) $(PARTS)

bench-page:
	$(BIN)/python -m bench $(EFFORT) --json bench/result.json $(PARTS)
	$(BIN)/python -m bench.report

$(VENV)/.bench: $(VENV)/.installed
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[bench]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis *.egg-info build dist
