import { Alert, Stack, Text } from "@chakra-ui/react";
import type { components } from "~/api/schema";
import { useSay } from "~/words/useSay";

type Props = { template: components["schemas"]["TemplateDetail"] };

/** What lint says of the file, and where the file is. */
export function Problems({ template }: Props) {
  const say = useSay();
  const notes = template.notes.map((one) => ({
    isProblem: one.is_problem,
    text: `${one.line === null ? "" : `${one.line}: `}${one.text}${one.hint && ` (${one.hint})`}`,
  }));
  const lines = [...template.problems.map((text) => ({ isProblem: true, text })), ...notes];
  return (
    <Stack gap={2}>
      <Text color="fg.muted">{say("templates.file", { file: template.file })}</Text>
      {lines.map(({ isProblem, text }) => (
        <Alert.Root key={text} status={isProblem ? "error" : "info"}>
          <Alert.Indicator />
          <Alert.Description>{text}</Alert.Description>
        </Alert.Root>
      ))}
    </Stack>
  );
}
