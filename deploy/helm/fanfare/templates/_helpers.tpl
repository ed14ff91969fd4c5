{{- define "fanfare.fullname" -}}
{{- if contains "fanfare" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-fanfare" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "fanfare.selector" -}}
app.kubernetes.io/name: fanfare
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "fanfare.labels" -}}
{{ include "fanfare.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "fanfare.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "fanfare.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "fanfare.container" -}}
image: {{ include "fanfare.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "fanfare.mounts" -}}
- {name: settings, mountPath: /etc/fanfare/fanfare.yaml, subPath: fanfare.yaml, readOnly: true}
- {name: secrets, mountPath: /run/secrets/fanfare, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.systems }}
- {name: systems, mountPath: /etc/fanfare/systems, readOnly: true}
{{- end }}
{{- if .Values.templates }}
- {name: templates, mountPath: /etc/fanfare/templates, readOnly: true}
{{- end }}
{{- end -}}

{{- define "fanfare.volumes" -}}
- name: settings
  configMap: {name: {{ include "fanfare.fullname" . }}}
- name: secrets
  secret: {secretName: {{ .Values.existingSecret }}, defaultMode: 0440}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- if .Values.systems }}
- name: systems
  configMap:
    name: {{ include "fanfare.fullname" . }}-systems
    items:
    {{- range $name, $text := .Values.systems }}
      - {key: {{ $name | quote }}, path: {{ printf "%s/system.yaml" $name | quote }}}
    {{- end }}
{{- end }}
{{- if .Values.templates }}
- name: templates
  configMap:
    name: {{ include "fanfare.fullname" . }}-templates
    items:
    {{- range $kind, $files := .Values.templates }}
    {{- range $file, $text := $files }}
      - {key: {{ printf "%s.%s" $kind $file | quote }}, path: {{ printf "%s/%s" $kind $file | quote }}}
    {{- end }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* A pod is made anew when what it reads at its start has changed; secrets are read again by themselves. */}}
{{- define "fanfare.checksum" -}}
fanfare/settings: {{ list .Values.settings .Values.systems .Values.templates | toJson | sha256sum }}
{{- end -}}

{{/* Restart by /healthz, route by /readyz: a restart mends neither PostgreSQL nor Kafka. */}}
{{- define "fanfare.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}

{{- define "fanfare.placement" -}}
{{- with .of.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "fanfare.selector" . | nindent 8 }}
{{- end -}}
