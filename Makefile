# make run | test | lint | install | clean; `make help` says more.
SHELL := /bin/bash
.DEFAULT_GOAL := help

MODEL  ?= Samples/scripture
PREFIX ?= /usr/local
SWIFT  ?= swift
PYTHON ?= python3
VENV   := .venv
INTEROP ?= .venv-interop
VLLM   ?= .venv-vllm
LLAMA  ?= .bench/llama.cpp
MODELS := $(or $(VISE_MODELS),.models)
BINARY := .build/release/vise

.PHONY: help run build deps test test-deps models families variants unit faults-briefly monkey faults kills sanitize sanitize-mapping fuzz \
  readers interop interop-llama \
  interop-compressor interop-vllm interop-ray breadth lint format keys man demo bench bench-quality bench-quality-large \
  bench-prediction install uninstall clean

help: ## says what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

run: build ## opens the workbench; MODEL=path for your own
	@$(BINARY) open "$(MODEL)"

build: deps ## builds the release binary
	@$(SWIFT) build -c release --product vise

# $(call require,command that succeeds when present,packages)
define require
	@if ! ( $(1) ) >/dev/null 2>&1; then \
	  if command -v apt-get >/dev/null; then \
	    as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	    echo "installing: $(2)"; \
	    $$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq $(2) >/dev/null; \
	  else \
	    echo "Vise needs what Debian calls: $(2). Install these with your package manager, then run make again." >&2; exit 1; \
	  fi; \
	fi
endef

deps:
	@command -v $(SWIFT) >/dev/null || { echo "Vise needs a Swift 6.2 or newer toolchain on the PATH." >&2; exit 1; }
	$(call require,test -e /usr/include/curses.h && pkg-config --exists openblas ncursesw sqlite3,libncurses-dev libopenblas-dev libsqlite3-dev pkg-config)

test-deps: deps
	$(call require,command -v tmux,tmux)
	$(call require,command -v groff,groff)
	$(call require,$(PYTHON) -c 'import venv$(comma) ensurepip',python3 python3-venv)
	@[ -x $(VENV)/bin/python ] || $(PYTHON) -m venv $(VENV)
	@cmp -s Tests/Oracles/requirements.txt $(VENV)/installed.txt || { \
	  $(VENV)/bin/pip install -q --disable-pip-version-check -r Tests/Oracles/requirements.txt && \
	  cp Tests/Oracles/requirements.txt $(VENV)/installed.txt; }

comma := ,

models: test-deps ## fetches the real model, the chat templates and the vocabularies that tests run on
	@$(VENV)/bin/python Tests/Oracles/make_models.py "$(MODELS)"
	@$(VENV)/bin/python Tests/Oracles/make_vocabularies.py "$(MODELS)"

# $(call installed,environment,file in Tests/Interop,what to take out again): brings a Python environment up to the file.
define installed
	@[ -x $(1)/bin/python ] || $(PYTHON) -m venv $(1)
	@cmp -s Tests/Interop/$(2) $(1)/$(2) || { \
	  echo "installing what Tests/Interop/$(2) lists"; \
	  $(1)/bin/pip install -q --disable-pip-version-check -r Tests/Interop/$(2) && \
	  $(if $(3),$(1)/bin/pip uninstall -q -y $(3) &&) cp Tests/Interop/$(2) $(1)/$(2); }
endef

# What the tiny models follow from, and a copy of it beside them.
FAMILIES_MADE_BY := Tests/Oracles/make_families.py Tests/Oracles/record_fisher.py \
  Tests/Oracles/make_settings.py Tests/Interop/requirements.txt

families: test-deps ## makes tiny models of every family and what PyTorch computes with them
	$(call installed,$(INTEROP),requirements.txt)
	@cat $(FAMILIES_MADE_BY) | cmp -s - "$(MODELS)/family-oracles/made-by" || { \
	  $(INTEROP)/bin/python Tests/Oracles/make_families.py "$(MODELS)/family-oracles" && \
	  $(INTEROP)/bin/python Tests/Oracles/make_settings.py "$(MODELS)/family-oracles" && \
	  cat $(FAMILIES_MADE_BY) >"$(MODELS)/family-oracles/made-by"; }

test: test-deps models families variants unit monkey faults-briefly readers ## installs what tests need and runs everything

# Half a minute on two processors, and less when little has changed.
variants: ## compares the kernels' variants with plain C: here, under sanitizers, and on emulated processors of aarch64
	$(call require,command -v clang,clang)
ifeq ($(shell uname -m),x86_64)
	$(call require,command -v aarch64-linux-gnu-gcc && command -v qemu-aarch64,gcc-aarch64-linux-gnu qemu-user libc6-dev-arm64-cross)
endif
	@$(MAKE) --no-print-directory -j $$(nproc) -Otarget -f Tests/Variants/Makefile

# The terminal sessions come last and alone: next to whole models at work, a screen may take its time.
unit:
	@VISE_MODELS="$(abspath $(MODELS))" $(SWIFT) test --disable-xctest --skip EndToEndTests
	@$(SWIFT) test --disable-xctest --skip-build --filter EndToEndTests

monkey: ## a minute of seeded random keys, clicks, pastes and resizes; MINUTES=30 for the long run
	@$(PYTHON) Tests/EndToEndTests/monkey.py --binary .build/debug/vise --model "$(MODEL)" --minutes $(or $(MINUTES),1) --seed $(or $(SEED),1)

FAULTS = $(PYTHON) Tests/Faults/$(1) --binary .build/debug/vise --model Samples/scripture --seed $(or $(SEED),1)

faults: ## lets system calls fail while files are written; MOST=12 of each kind in each way; minutes
	@$(SWIFT) build --product vise
	@$(call FAULTS,faults.py) --most $(or $(MOST),12)

kills: ## kills the program while it writes, COUNT=500 times, and lets it go on; minutes
	@$(SWIFT) build --product vise
	@$(call FAULTS,kills.py) --count $(or $(COUNT),500)

faults-briefly:
	@$(call FAULTS,faults.py) --limit 8
	@$(call FAULTS,kills.py) --count 15 --pairs 1

SANITIZERS ?= address thread undefined
SUITES ?= TensorsTests|JSONTests|TextTests|WorkTests|CheckpointsTests|TokenizationTests|CompressionTests|InferenceTests|AllocationTests|ProceduresTests|ExportTests|EngineTests|WorkbenchTests

sanitize-mapping: ## cuts mapped files off under threads, under each of SANITIZERS
	@folder=$$(mktemp -d); for name in $(SANITIZERS); do echo "$$name:"; \
	  cc -g -O1 -D_GNU_SOURCE -fsanitize=$$name -fno-sanitize-recover=all -ISources/CKernels/include -o $$folder/mapping \
	    Tests/Faults/mapping.c Sources/CKernels/hash.c Sources/CKernels/mapping.c -lpthread && \
	  $$folder/mapping $$folder/file || exit 1; done; rm -r $$folder

# Swift has no sanitizer for undefined behaviour; the C targets have, and trap.
sanitize: test-deps sanitize-mapping ## runs SUITES under each of SANITIZERS, built apart in .build-NAME
	@for name in $(SANITIZERS); do echo "$$name:"; \
	  case $$name in undefined) flags="-Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined";; *) flags="--sanitize $$name";; esac; \
	  ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=suppressions="$(CURDIR)/Tests/Faults/thread-sanitizer.txt" \
	  VISE_MODELS="$(abspath $(MODELS))" $(SWIFT) test --disable-xctest $$flags \
	    --scratch-path .build-$$name --filter "$(SUITES)" || exit 1; done

fuzz: deps ## tries each reader of files under libFuzzer for TIME seconds (60); TARGETS="gguf plan" for some of them
	@VISE_FUZZ=1 $(SWIFT) build -c release -Xswiftc -enable-testing --sanitize fuzzer --scratch-path .build/fuzz --product fuzz
	@Fuzz/run.sh .build/fuzz/release/fuzz $(or $(TIME),60) $(TARGETS)

# $(call check,environment,script and its options)
check = $(1)/bin/python Tests/Interop/$(2) --binary $(BINARY)
SAMPLE := --model Samples/scripture --text Samples/evaluation.txt
SMOLLM2 = --model "$(MODELS)/smollm2-hf" --text Samples/evaluation.txt

readers: build test-deps models ## lets gguf, safetensors and transformers read the sample's exports
	$(call installed,$(INTEROP),requirements.txt)
	@$(call check,$(VENV),packages.py) --model Samples/scripture --halves "$(MODELS)/smollm2-hf"
	@$(call check,$(VENV),streaming.py) --tokenizer Samples/scripture
	@$(call check,$(INTEROP),transformers_logits.py) $(SAMPLE)

interop: readers interop-llama interop-compressor interop-vllm ## all clients, on the sample and SmolLM2; some GB, some 20 minutes

interop-llama: build models ## lets llama.cpp, built from its PyPI source, load GGUF exports and follow recipes
	$(call installed,$(INTEROP),requirements.txt)
	$(call installed,$(INTEROP),requirements-llama.txt)
	@$(call check,$(INTEROP),llama_cpp.py) --tools $(LLAMA) $(SAMPLE) --recipes
	@$(call check,$(INTEROP),llama_cpp.py) --tools $(LLAMA) $(SMOLLM2) --plans kept,Q4_0
	@$(call check,$(INTEROP),served.py) --tools $(LLAMA) --model Samples/scripture

interop-compressor: build models ## lets llm-compressor carry recipes out
	$(call installed,$(INTEROP),requirements.txt)
	$(call installed,$(INTEROP),requirements-compressor.txt)
	@$(call check,$(INTEROP),llm_compressor.py) $(SAMPLE)
	@$(call check,$(INTEROP),llm_compressor.py) $(SMOLLM2) --plans mixed --group 64

interop-vllm: build models ## lets vLLM serve exports on a CPU
	$(call installed,$(VLLM),requirements-vllm.txt,torchvision torchaudio torchcodec)
	@$(call check,$(VLLM),vllm_cpu.py) $(SAMPLE)
	@$(call check,$(VLLM),vllm_cpu.py) $(SMOLLM2) --plans "4 bit,mixed"

# Apart from `interop`: the head takes ports of this machine, and the jobs some ten minutes. KUBERAY_CRD=path of ray.io_rayjobs.yaml
# holds the manifest against its schema, too.
interop-ray: build models ## lets a Ray cluster of this machine compress, evaluate and measure sensitivity; some ten minutes
	$(call installed,$(INTEROP),requirements.txt)
	$(call installed,$(INTEROP),requirements-compressor.txt)
	$(call installed,$(INTEROP),requirements-ray.txt)
	@$(call check,$(INTEROP),ray_jobs.py) $(SAMPLE) --smollm2 "$(MODELS)/smollm2-hf" --calibration Samples/calibration.txt
	@[ -z "$(KUBERAY_CRD)" ] || $(call check,$(INTEROP),rayjob_schema.py) --model Samples/scripture --crd "$(KUBERAY_CRD)"

# Checkpoints that the repository has, and those that `make families` makes.
FOLDERS ?= "$(MODELS)/family-oracles" Tests/CheckpointsTests/Fixtures Tests/CheckpointsTests/Fixtures/others \
  Tests/CheckpointsTests/Fixtures/compressed Samples/scripture
LARGE_MODELS = $(wildcard $(addprefix $(MODELS)/,gemma3.gguf qwen.gguf smollm2.gguf smollm2-hf))

breadth: build ## tries every checkpoint in FOLDERS, into docs/models.md; LARGE=1 also real models beside the tests'
	@[ "$(origin FOLDERS)" != file ] || $(MAKE) --no-print-directory families
	@$(PYTHON) Tests/Interop/breadth.py --binary $(BINARY) --output docs/models.md $(FOLDERS) $(if $(LARGE),$(LARGE_MODELS))

lint: ## checks the format of all Swift sources, and that folders of these rooms use each other in one direction
	@$(SWIFT) format lint --strict -r Package.swift Sources Tests
	@python3 Tests/Structure/folder_order.py Sources JSON YAML Work Tensors Checkpoints Compression Allocation Procedures Export Fitting

format: ## rewrites them as swift-format likes them
	@$(SWIFT) format -i -r Package.swift Sources Tests

keys: ## writes the key table into docs/keys.md
	@VISE_WRITE_KEYS=1 $(SWIFT) test --disable-xctest --filter KeyPageTests

man: build ## writes docs/man/vise.1 from what the program says of its commands
	@$(PYTHON) docs/man/make_man.py $(BINARY) > docs/man/vise.1.new && mv docs/man/vise.1.new docs/man/vise.1

demo: build test-deps ## records docs/recordings from the scripts of Tests/EndToEndTests; NAMES="mixed-plan" for some of them
	@$(PYTHON) Tests/EndToEndTests/record.py --binary $(BINARY) --output docs/recordings \
	  $(if $(wildcard $(MODELS)/smollm2-hf),--smollm2 "$(MODELS)/smollm2-hf") $(NAMES)

QWEN ?= $(MODELS)/qwen.gguf

bench: build models ## speed beside llama.cpp's, into Benchmarks/results.md; QWEN=path for Qwen2.5-Coder 1.5B, IK=llama-bench of ik_llama.cpp, WIDE=large checkpoint too
	$(call installed,$(INTEROP),requirements.txt)
	$(call installed,$(INTEROP),requirements-compressor.txt)
	@$(VENV)/bin/python Benchmarks/speed.py --binary $(BINARY) --model "$(MODELS)/smollm2.gguf" \
	  --smollm2 "$(MODELS)/smollm2-hf" --compressor $(INTEROP)/bin/python \
	  $(if $(wildcard $(QWEN)),--large "$(QWEN)") $(if $(wildcard $(IK)),--ik "$(IK)")
	@$(VENV)/bin/python Benchmarks/latency.py --binary $(BINARY) --model "$(MODELS)/smollm2-hf" \
	  $(if $(wildcard $(QWEN)),--large "$(QWEN)") $(if $(wildcard $(WIDE)),--wide "$(WIDE)")

bench-quality: build models ## quality at equal size, against llama.cpp, llm-compressor and uniform GPTQ, into Benchmarks/quality.md
	$(call installed,$(INTEROP),requirements.txt)
	$(call installed,$(INTEROP),requirements-compressor.txt)
	@$(VENV)/bin/python Benchmarks/quality.py --binary $(BINARY) --smollm2 "$(MODELS)/smollm2-hf" \
	  --compressor $(INTEROP)/bin/python

bench-prediction: build models ## predicted KLDs beside measured ones, into Benchmarks/prediction.md; ten minutes on two idle cores
	@$(VENV)/bin/python Benchmarks/prediction.py --binary $(BINARY) --models "$(MODELS)"

bench-quality-large: build test-deps ## the same on Qwen2.5-Coder 1.5B (QWEN=path of its GGUF), against llama.cpp; an hour or more
	@$(VENV)/bin/python Benchmarks/quality.py --binary $(BINARY) --qwen "$(QWEN)"

install: build ## installs to PREFIX (default /usr/local)
	@install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/vise/themes" "$(DESTDIR)$(PREFIX)/share/vise/machines"
	@install -m 755 $(BINARY) "$(DESTDIR)$(PREFIX)/bin/vise"
	@install -m 644 Themes/*.yaml "$(DESTDIR)$(PREFIX)/share/vise/themes"
	@install -m 644 Machines/*.yaml "$(DESTDIR)$(PREFIX)/share/vise/machines"
	@install -d "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
	  "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	@$(BINARY) --generate-completion-script bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vise"
	@$(BINARY) --generate-completion-script zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_vise"
	@$(BINARY) --generate-completion-script fish > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/vise.fish"
	@install -d "$(DESTDIR)$(PREFIX)/share/man/man1"
	@install -m 644 docs/man/vise.1 "$(DESTDIR)$(PREFIX)/share/man/man1"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/vise"

uninstall:
	@rm -rf "$(DESTDIR)$(PREFIX)/bin/vise" "$(DESTDIR)$(PREFIX)/share/vise" \
	  "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vise" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_vise" \
	  "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/vise.fish" \
	  "$(DESTDIR)$(PREFIX)/share/man/man1/vise.1"

clean: ## removes what was built; models and the Python environment stay
	@rm -rf .build
