import { Alert, Button, Stack, Text } from "@chakra-ui/react";
import { asProblem } from "~/api/problem";
import { useSay } from "~/words/useSay";

type Props = {
  error: unknown;
  /** What was being done, in a few words: "The deliveries cannot be listed". */
  what: string;
  /** Whether what was asked for may have been done although no answer came. */
  isWrite?: boolean;
  onRetry?: () => void;
};

/** Say what failed, what is safe, and how to try again. */
export function Trouble({ error, what, isWrite = false, onRetry }: Props) {
  const say = useSay();
  const problem = asProblem(error);
  const lost = problem.status === 0;
  return (
    <Alert.Root status="error" role="alert" alignItems="start">
      <Alert.Indicator />
      <Stack gap={1} flex={1}>
        <Alert.Title>{what}</Alert.Title>
        <Text>{lost ? say(isWrite ? "common.lost_write" : "common.lost") : problem.title}</Text>
        {problem.problems?.map((each) => (
          <Text key={`${each.field} ${each.text}`}>
            <b>{each.field}</b> {each.text}
          </Text>
        ))}
      </Stack>
      {onRetry && (
        <Button size="sm" variant="outline" onClick={onRetry}>
          {say("common.try_again")}
        </Button>
      )}
    </Alert.Root>
  );
}
