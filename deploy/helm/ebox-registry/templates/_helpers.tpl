{{/* Names and labels. */}}
{{- define "registry.name" -}}
{{- printf "%s-ebox" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "registry.selector" -}}
app.kubernetes.io/name: ebox-registry
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "registry.labels" -}}
{{ include "registry.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "registry.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What no pod of ours needs, and none has. */}}
{{- define "registry.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "registry.container" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Settings as variables; a dict of `root` and more `settings`. */}}
{{- define "registry.variables" -}}
{{- range $name, $value := merge (dict) .settings .root.Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
- name: CREDENTIALS_DIRECTORY
  value: /run/credentials
{{- end -}}

{{/* Volumes: a folder for temporary files, and one with the files of these `secrets`. */}}
{{- define "registry.volumes" -}}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
- name: credentials
  projected:
    defaultMode: 0440
    sources:
      {{- range .secrets }}
      - secret: {name: {{ . }}}
      {{- end }}
{{- end -}}

{{- define "registry.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: credentials, mountPath: /run/credentials, readOnly: true}
{{- end -}}

{{/* Pods of one component are not all on one machine, as far as that is possible. */}}
{{- define "registry.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "registry.selector" . | nindent 8 }}
{{- end -}}
