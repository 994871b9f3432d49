{{/* The policy as the module gets it, in JSON. */}}
{{- define "weir.policy" -}}
{{- $policy := .Values.policy | default (.Files.Get "policy.yaml" | fromYaml) | deepCopy -}}
{{- $_ := unset $policy.metadata "annotations" -}}
{{- if .Values.mode -}}
{{- if ne $policy.kind "Policy" -}}{{- fail "mode: only a Policy has one; a Bundle's policies each have their own" -}}{{- end -}}
{{- $_ := set $policy.spec "mode" .Values.mode -}}
{{- end -}}
{{- if and (eq .Values.kind "EnvoyFilter") .Values.envoyFilter.holdHeaders -}}
{{- if ne $policy.kind "Policy" -}}{{- fail "envoyFilter.holdHeaders: write holdHeaders into each policy of the Bundle, and leave this false" -}}{{- end -}}
{{- $_ := set $policy.spec "holdHeaders" true -}}
{{- else if dig "spec" "holdHeaders" false $policy -}}
{{- fail "holdHeaders needs kind EnvoyFilter and envoyFilter.holdHeaders: otherwise Envoy would wait for ever" -}}
{{- end -}}
{{- toJson $policy -}}
{{- end -}}

{{/* Which proxies. */}}
{{- define "weir.place" -}}
{{- if and .Values.targetRefs .Values.selector -}}
{{- fail "selector and targetRefs: name the proxies in one of them, and set the other to null" -}}
{{- end -}}
{{- if .Values.targetRefs -}}
targetRefs:
{{ toYaml .Values.targetRefs | indent 2 }}
{{- else if .Values.selector -}}
selector:
  matchLabels:
{{ toYaml .Values.selector | indent 4 }}
{{- else -}}
{{- fail "selector or targetRefs is required: without either, Weir would be in every proxy of the namespace" -}}
{{- end }}
{{- with .Values.match }}
match:
{{ toYaml . | indent 2 }}
{{- end }}
{{- end -}}

{{/* The same as a selector of pods. Istio labels those of a waypoint with the name of their Gateway. */}}
{{- define "weir.pods" -}}
{{- if .Values.targetRefs -}}
{{- $names := list -}}
{{- range .Values.targetRefs -}}
{{- if ne .kind "Gateway" -}}{{- fail "monitoring: only targetRefs of kind Gateway say which pods to watch" -}}{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
matchExpressions:
  - {key: gateway.networking.k8s.io/gateway-name, operator: In, values: {{ toJson $names }}}
{{- else -}}
matchLabels: {{ toJson .Values.selector }}
{{- end -}}
{{- end -}}

{{/* The module and its policy: fields of a WasmPlugin's spec, and of a TrafficExtension's spec.wasm. */}}
{{- define "weir.plugin" -}}
pluginName: weir
url: {{ .Values.module.url | quote }}
sha256: {{ .Values.module.sha256 | quote }}
imagePullPolicy: IfNotPresent
{{- with .Values.module.imagePullSecret }}
imagePullSecret: {{ . }}
{{- end }}
failStrategy: {{ .Values.failStrategy }}
type: HTTP
{{- with .Values.module.env }}
vmConfig:
  env:
{{ toYaml . | indent 4 }}
{{- end }}
pluginConfig:
{{ include "weir.policy" . | fromJson | toYaml | indent 2 }}
{{- end -}}
