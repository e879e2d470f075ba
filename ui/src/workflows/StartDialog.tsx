import { Alert, Button, Dialog, Field, Input, Portal, Stack, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { components } from "~/api/schema";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { ParamField } from "./ParamField";
import { asText, read, readMoment, type Wrong } from "./params";
import { newRunId, startRun } from "./start";

type Workflow = components["schemas"]["WorkflowDetail"];
type Props = { workflow: Workflow; onClose: () => void; onStarted: (runId: string) => void };

/** Ask for the parameters of a run, check them field by field, and start it. */
export function StartDialog({ workflow, onClose, onStarted }: Props) {
  const say = useSay();
  const queries = useQueryClient();
  const [texts, setTexts] = useState(() =>
    Object.fromEntries(workflow.params.map((one) => [one.name, asText(one)])),
  );
  const [wrongs, setWrongs] = useState<Record<string, Wrong>>({});
  const [date, setDate] = useState("");
  const [runId] = useState(newRunId);
  const starting = useMutation({
    mutationFn: startRun,
    onSuccess: (runId) => {
      void queries.invalidateQueries({ queryKey: ["workflows"] });
      onStarted(runId);
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const { conf, wrong } = readAll(workflow.params, texts);
    const moment = date === "" ? { value: null } : readMoment(date);
    setWrongs(wrong);
    if (Object.keys(wrong).length === 0 && "value" in moment && !starting.isPending) {
      const logicalDate = moment.value as string | null;
      starting.mutate({ dagId: workflow.dag_id, runId, conf, logicalDate });
    }
  };
  return (
    <Dialog.Root
      open
      onOpenChange={({ open }) => !open && !starting.isPending && onClose()}
      scrollBehavior="inside"
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner data-smsflow="root">
          <Dialog.Content asChild>
            <form onSubmit={onSubmit} noValidate>
              <Dialog.Header>
                <Dialog.Title>
                  {say("workflows.start_title", { label: workflow.label })}
                </Dialog.Title>
              </Dialog.Header>
              <Dialog.Body>
                <Stack gap={4}>
                  <Warnings workflow={workflow} />
                  {workflow.params.length === 0 && <Text>{say("workflows.no_params")}</Text>}
                  {workflow.params.map((one) => (
                    <ParamField
                      key={one.name}
                      param={one}
                      text={texts[one.name] ?? ""}
                      wrong={wrongs[one.name]}
                      onChange={(text) => setTexts((before) => ({ ...before, [one.name]: text }))}
                    />
                  ))}
                  <Field.Root>
                    <Field.Label>
                      {say("workflows.date")} ({say("workflows.optional")})
                    </Field.Label>
                    <Input
                      type="datetime-local"
                      value={date}
                      onChange={(event) => setDate(event.target.value)}
                    />
                    <Field.HelperText>{say("workflows.date_help")}</Field.HelperText>
                  </Field.Root>
                  {starting.isError && (
                    <Trouble error={starting.error} what={say("workflows.start_failed")} isWrite />
                  )}
                </Stack>
              </Dialog.Body>
              <Dialog.Footer>
                <Button variant="outline" disabled={starting.isPending} onClick={onClose}>
                  {say("common.cancel")}
                </Button>
                <Button type="submit" colorPalette="blue" loading={starting.isPending}>
                  {say("workflows.start_action")}
                </Button>
              </Dialog.Footer>
            </form>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}

function readAll(params: Workflow["params"], texts: Record<string, string>) {
  const conf: Record<string, unknown> = {};
  const wrong: Record<string, Wrong> = {};
  for (const param of params) {
    const found = read(param, texts[param.name] ?? "");
    if ("wrong" in found) {
      wrong[param.name] = found.wrong;
    } else {
      conf[param.name] = found.value;
    }
  }
  return { conf, wrong };
}

/** What starting does: said before it is done. */
function Warnings({ workflow }: { workflow: Workflow }) {
  const say = useSay();
  const { direct, other } = workflow.activities;
  const what = direct ? "start_direct" : other ? "start_mixed" : "start_safe";
  return (
    <>
      <Alert.Root status={direct ? "warning" : "info"}>
        <Alert.Indicator />
        <Alert.Description>{say(`workflows.${what}`)}</Alert.Description>
      </Alert.Root>
      {workflow.is_paused && (
        <Alert.Root status="warning">
          <Alert.Indicator />
          <Alert.Description>{say("workflows.start_paused")}</Alert.Description>
        </Alert.Root>
      )}
    </>
  );
}
